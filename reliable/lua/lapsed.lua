-- Lists the workers whose lease has lapsed.
-- KEYS: 1 takers
-- ARGS: 0
-- RETURNS: the workers
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
