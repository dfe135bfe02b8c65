-- Saves a change of a record whole, or nothing of it.
-- KEYS: 12 record, history, due, index, states, events, dead, outbox list, takers, held of the new holder, held of the old one, request
-- ARGS: 14 token, seen version (0: create), seen state, id, new state, record JSON, ms to the next look (0: none), worker ("" = shared list),
--   ms of the worker's lease, event of the request ("" = none), ms that a request is kept, 1 to hold, 1 to release,
--   lists as JSON: h history lines, o outbox envelopes, b dead letters as id and JSON in turn, r ids of raised ones, e events to count
-- RETURNS: {1, version, at, created} applied, now or before; {-1} changed meanwhile (ErrChanged); {-2} exists (ErrExists); {-3} unknown (ErrNotFound)
local was = redis.call('HMGET', KEYS[1], 't', 'v', 's', 'a', 'c')
if was[1] == ARGV[1] then return {1, was[2], was[4], was[5]} end
if ARGV[2] == '0' then
  if was[2] then return {-2} end
else
  if not was[2] then return {-3} end
  if was[2] ~= ARGV[2] then return {-1} end
  if was[3] ~= ARGV[3] then return {-1} end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local at = math.max(now, tonumber(was[4] or '0'))
local version = string.format('%.0f', tonumber(ARGV[2]) + 1)
local stamp = string.format('%.0f', at)
local created = was[5] or stamp
local lists = cjson.decode(ARGV[14])
-- WRITES
redis.call('HSET', KEYS[1], 't', ARGV[1], 'v', version, 's', ARGV[5], 'a', stamp, 'c', created, 'd', ARGV[6])
for _, line in ipairs(lists.h) do redis.call('RPUSH', KEYS[2], stamp .. ' ' .. line) end
if ARGV[7] == '0' then redis.call('ZREM', KEYS[3], ARGV[4])
else redis.call('ZADD', KEYS[3], string.format('%.0f', math.floor(now / 1000) + ARGV[7]), ARGV[4]) end
if was[3] ~= ARGV[5] then
  if was[3] then redis.call('HINCRBY', KEYS[5], was[3], -1) end
  redis.call('HINCRBY', KEYS[5], ARGV[5], 1)
end
if not was[2] then redis.call('ZADD', KEYS[4], stamp, ARGV[4]) end
for _, event in ipairs(lists.e) do redis.call('HINCRBY', KEYS[6], event, 1) end
for i = 1, #lists.b, 2 do redis.call('HSET', KEYS[7], lists.b[i], lists.b[i + 1]) end
for _, id in ipairs(lists.r) do redis.call('HDEL', KEYS[7], id) end
for _, entry in ipairs(lists.o) do redis.call('LPUSH', KEYS[8], entry) end
if #lists.o > 0 and ARGV[8] ~= '' then
  redis.call('ZADD', KEYS[9], string.format('%.0f', math.floor(now / 1000) + ARGV[9]), ARGV[8])
end
if ARGV[13] == '1' then redis.call('SREM', KEYS[11], ARGV[4]) end
if ARGV[12] == '1' then redis.call('SADD', KEYS[10], ARGV[4]) end
if ARGV[10] ~= '' then redis.call('SET', KEYS[12], ARGV[10], 'PX', ARGV[11]) end
redis.call('PUBLISH', 'prpflow:events', ARGV[4] .. ' ' .. version)
return {1, version, stamp, created}
