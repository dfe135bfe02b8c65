-- Moves the oldest messages of a shelf into a worker's hand, and renews its lease.
-- KEYS: 3 takers, the hand of the shelf, the worker's hand
-- ARGS: 4 the shelf, the worker, its lease in ms, how many messages at most
-- RETURNS: how many were moved, then how many are in its hand
-- WRITES
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local keys = redis.call('ZRANGE', KEYS[2], 0, ARGV[4] - 1)
local last = tonumber(redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or 0)
for i, key in ipairs(keys) do
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZADD', KEYS[3], string.format('%.0f', last + i), key)
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return {#keys, redis.call('ZCARD', KEYS[3])}
