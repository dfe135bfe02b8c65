-- Saves a change of a record whole, or nothing of it.
-- KEYS: 15 record, history, due, index, states, events, dead, times of the dead, pending list or the worker's hand, takers,
--   held of the new holder, held of the old one, request (the record where there is none of these three), messages of the outbox, published jobs
-- ARGS: 19 token, seen version (0: create), seen state, id, new state, record JSON, ms to the next look (0: none), worker ("" = shared list),
--   ms of the worker's lease, event of the request ("" = none), ms that a request is kept, 1 to hold, 1 to release, ms that the dead are kept,
--   token of the change that made the seen version ("" = not compared), job that is out from now on, its queue, job that was out ("" = none),
--   lists as JSON: h history lines, o outbox entries as id and envelope in turn, b dead letters as id and JSON in turn, r ids of raised ones, e events to count
-- RETURNS: {1, version, at, created} applied, now or before; {-1} changed meanwhile (ErrChanged); {-2} exists (ErrExists); {-3} unknown (ErrNotFound)
local version = string.format('%.0f', ARGV[2] + 1)
local ring = 't' .. string.format('%.0f', (ARGV[2] + 1) % 16)
local was = redis.call('HMGET', KEYS[1], 'v', 's', 'a', 'c', ring, 'k')
local token = ARGV[1] .. ' '
if was[5] and string.sub(was[5], 1, #token) == token then
  return {1, version, string.sub(was[5], #token + 1), was[4]}
end
if ARGV[2] == '0' and was[1] then return {-2} end
if ARGV[2] ~= '0' then
  if not was[1] then return {-3} end
  if was[1] ~= ARGV[2] or was[2] ~= ARGV[3] then return {-1} end
  if ARGV[15] ~= '' and was[6] ~= ARGV[15] then return {-1} end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local ms = math.floor(now / 1000)
local stamp = string.format('%.0f', math.max(now, tonumber(was[3] or '0')))
local created = was[4] or stamp
local lists = cjson.decode(ARGV[19])
-- WRITES
redis.call('HSET', KEYS[1], 'v', version, 's', ARGV[5], 'a', stamp, 'c', created, 'd', ARGV[6], 'k', ARGV[1], ring, token .. stamp)
for _, line in ipairs(lists.h) do redis.call('RPUSH', KEYS[2], stamp .. ' ' .. line) end
if ARGV[7] == '0' then redis.call('ZREM', KEYS[3], ARGV[4])
else redis.call('ZADD', KEYS[3], string.format('%.0f', ms + ARGV[7]), ARGV[4]) end
if not was[1] then redis.call('SADD', KEYS[4], ARGV[4]) end
if was[2] ~= ARGV[5] then
  if was[2] then redis.call('HINCRBY', KEYS[5], was[2], -1) end
  redis.call('HINCRBY', KEYS[5], ARGV[5], 1)
end
if ARGV[18] ~= '' then redis.call('HDEL', KEYS[15], ARGV[18]) end
if ARGV[16] ~= '' then redis.call('HSET', KEYS[15], ARGV[16], ARGV[17]) end
for _, event in ipairs(lists.e) do redis.call('HINCRBY', KEYS[6], event, 1) end
local function drop(ids) for _, id in ipairs(ids) do redis.call('HDEL', KEYS[7], id) redis.call('ZREM', KEYS[8], id) end end
if #lists.b > 0 then drop(redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', string.format('%.0f', ms - ARGV[14]), 'LIMIT', 0, 100)) end
for i = 1, #lists.b, 2 do
  redis.call('HSET', KEYS[7], lists.b[i], lists.b[i + 1])
  redis.call('ZADD', KEYS[8], string.format('%.0f', ms), lists.b[i])
end
drop(lists.r)
local last = #lists.o > 0 and ARGV[8] ~= '' and tonumber(redis.call('ZREVRANGE', KEYS[9], 0, 0, 'WITHSCORES')[2] or 0)
for i = 1, #lists.o, 2 do
  redis.call('HSET', KEYS[14], lists.o[i], lists.o[i + 1])
  if last then redis.call('ZADD', KEYS[9], string.format('%.0f', last + i), lists.o[i])
  else redis.call('LPUSH', KEYS[9], '# ' .. lists.o[i]) end
end
if #lists.o > 0 and ARGV[8] ~= '' then redis.call('ZADD', KEYS[10], string.format('%.0f', ms + ARGV[9]), ARGV[8]) end
if ARGV[13] == '1' then redis.call('SREM', KEYS[12], ARGV[4]) end
if ARGV[12] == '1' then redis.call('SADD', KEYS[11], ARGV[4]) end
if ARGV[10] ~= '' then redis.call('SET', KEYS[13], ARGV[10], 'PX', ARGV[11]) end
redis.pcall('PUBLISH', 'prpflow:events', ARGV[4] .. ' ' .. version)
return {1, version, stamp, created}
