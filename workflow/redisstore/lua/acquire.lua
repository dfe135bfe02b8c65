-- Makes a member owner of a lease, or puts it at the end of who waits.
-- KEYS: 1 members by their turn
-- ARGS: 1 member
-- RETURNS: the owner
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local turn = (tonumber(last[2]) or 0) + 1
-- WRITES
if not known then redis.call('ZADD', KEYS[1], turn, ARGV[1]) end
return redis.call('ZRANGE', KEYS[1], 0, 0)[1]
