-- Puts a member at the end of a lease's list, if it is not on it.
-- KEYS: 1 members by their turn
-- ARGS: 2 member, number of owners
-- RETURNS: the owners
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local turn = (tonumber(last[2]) or 0) + 1
-- WRITES
if not known then redis.call('ZADD', KEYS[1], turn, ARGV[1]) end
return redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
