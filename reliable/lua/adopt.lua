-- Moves the oldest messages of a shelf into a worker's hand, and renews its lease.
-- WITH: queue
-- KEYS: 15 the queue's and the worker's, the hand of the shelf
-- ARGS: 4 the shelf, the worker, its lease in ms, how many messages at most
-- RETURNS: how many were moved, then how many are in its hand
-- WRITES
local keys = redis.call('ZRANGE', KEYS[15], 0, ARGV[4] - 1)
local last = tonumber(redis.call('ZREVRANGE', HAND, 0, 0, 'WITHSCORES')[2] or 0)
for i, key in ipairs(keys) do
  redis.call('ZADD', TAKERS, text(now + ARGV[3]), ARGV[2])
  redis.call('ZREM', KEYS[15], key)
  redis.call('ZADD', HAND, text(last + i), key)
end
if redis.call('EXISTS', KEYS[15]) == 0 then
  redis.call('ZREM', TAKERS, ARGV[1])
end
return {#keys, redis.call('ZCARD', HAND)}
