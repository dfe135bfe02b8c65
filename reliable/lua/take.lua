-- Renews a lease, moves what the worker has received into its hand, and gives it its oldest other messages, then those at the head.
-- WITH: queue confirm die waits
-- KEYS: 14 the queue's and the worker's
-- ARGS: 6+ the worker, its lease in ms, a name that only this call has, how many messages at most, 1 to count how long they have waited,
--   how many calls of this worker were not answered, their names, then the names of calls that it has received
-- RETURNS: how many are in its hand, 1 where the queue is paused, ms to the next delayed message or -1, then in turn the element,
--   the envelope, which is nil where it is lost, and what is known beyond it
-- WRITES
redis.call('ZADD', TAKERS, text(now + ARGV[2]), ARGV[1])
local rare = redis.call('EXISTS', DELAYED, EXPIRES, GONE, PAUSED, TRIES) > 0
local due = rare and redis.call('ZRANGEBYSCORE', DELAYED, '-inf', text(now), 'LIMIT', 0, 100) or {}
for i, key in ipairs(due) do due[i] = '# ' .. key end
if #due > 0 then
  redis.call('LPUSH', PENDING, unpack(due))
  redis.call('ZREMRANGEBYRANK', DELAYED, 0, #due - 1)
end
local lost = {[''] = true, [ARGV[3]] = true} -- of a BLMOVE, and this very call where it was sent before
for i = 7, 6 + ARGV[6] do lost[ARGV[i]] = true end
local unread, list, elements, keys = confirm({unpack(ARGV, 7 + ARGV[6])}), {}, {}, {}
local paused = rare and redis.call('EXISTS', PAUSED) or 0
local want, home = paused == 1 and 0 or tonumber(ARGV[4]), {}
local function give(element)
  local key = keyOf(element)
  if not key then -- a whole envelope, as older versions wrote them, or no message at all
    local _, m = pcall(cjson.decode, element)
    key = type(m) == 'table' and type(m.id) == 'string' and m.id or ''
    if key == '' or string.byte(key) == 255 or redis.call('HEXISTS', MESSAGES, key) == 1 then key = '\255' .. ARGV[3] .. #keys .. ' ' .. key end
    redis.call('HSET', MESSAGES, key, element)
  end
  if rare and redis.call('SREM', GONE, key) == 1 then return end
  local ends = rare and redis.call('ZSCORE', EXPIRES, key)
  if ends and tonumber(ends) <= now then return die(key, 'it has expired before it was taken', '') end
  if ends then redis.call('ZREM', EXPIRES, key) end -- until it comes back
  keys[#keys + 1], elements[#elements + 1] = key, '#' .. ARGV[3] .. ' ' .. key
  list[#list + 1] = elements[#elements]
end
for _, element in ipairs(unread) do -- the oldest first
  local name, key = string.match(element, '^#([^ ]*) (.*)$')
  if key and not lost[name] then list[#list + 1] = element -- its call is under way
  elseif #keys < want then give(element)
  elseif paused == 0 then list[#list + 1] = element
  else home[#home + 1] = key and '# ' .. key or element end
end
while #keys < want do
  local more = redis.call('LRANGE', PENDING, #keys - want, -1)
  if #more == 0 then break end
  redis.call('LTRIM', PENDING, 0, -#more - 1)
  for i = #more, 1, -1 do give(more[i]) end
end
if #list > 0 then redis.call('LPUSH', TAKEN, unpack(list)) end
for i = #home, 1, -1 do redis.call('RPUSH', PENDING, home[i]) end -- the newest first, so that the oldest ends at the head
local next = rare and redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')[2]
local answer = {redis.call('ZCARD', HAND), paused, next and math.max(0, next - now) or -1}
local raws = #keys > 0 and redis.call('HMGET', MESSAGES, unpack(keys)) or {}
local known = rare and #keys > 0 and redis.call('HMGET', TRIES, unpack(keys)) or {}
if ARGV[5] == '1' then waits(raws, known) end
for i, element in ipairs(elements) do
  answer[3 * i + 1], answer[3 * i + 2], answer[3 * i + 3] = element, raws[i], known[i] or false
end
return answer
