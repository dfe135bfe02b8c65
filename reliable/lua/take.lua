-- Renews a lease, moves what the worker has received into its hand, and gives it its oldest other message or the one at the head.
-- KEYS: 5 pending, takers, messages, the worker's taken list, the worker's hand
-- ARGS: 3+ the worker, its lease in ms, a name that only this call has, then the elements that it has received
-- RETURNS: how many are in its hand, then the element and its envelope, which is nil where it is lost; no element where nothing waits
-- WRITES
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = tonumber(redis.call('ZREVRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2] or 0)
for i = 4, #ARGV do
  -- An element that was given out again has another name by now, and stays.
  if redis.call('LREM', KEYS[4], -1, ARGV[i]) == 1 then
    last = last + 1
    redis.call('ZADD', KEYS[5], string.format('%.0f', last), (string.match(ARGV[i], '^#[^ ]* (.*)$')))
  end
end
local hand = redis.call('ZCARD', KEYS[5])
local element = redis.call('LINDEX', KEYS[4], -1) or redis.call('LMOVE', KEYS[1], KEYS[4], 'RIGHT', 'LEFT')
if not element then return {hand} end
local key = string.match(element, '^#[^ ]* (.*)$')
if not key then -- a whole envelope, as older versions wrote them, or no message at all
  local _, m = pcall(cjson.decode, element)
  key = type(m) == 'table' and type(m.id) == 'string' and m.id or ''
  if key == '' or string.byte(key) == 255 or redis.call('HEXISTS', KEYS[3], key) == 1 then
    key = '\255' .. ARGV[3] .. ' ' .. key
  end
  redis.call('HSET', KEYS[3], key, element)
end
element = '#' .. ARGV[3] .. ' ' .. key
redis.call('LSET', KEYS[4], -1, element)
return {hand, element, redis.call('HGET', KEYS[3], key)}
