-- Gives a worker its lease, counted from now.
-- KEYS: 1 takers
-- ARGS: 2 the worker, the lease in ms
-- RETURNS: 1
-- WRITES
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
return 1
