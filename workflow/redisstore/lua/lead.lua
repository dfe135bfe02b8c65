-- Makes somebody the one sweeper for a while, or renews it.
-- KEYS: 1 leader
-- ARGS: 2 who, ms
-- RETURNS: 1 leads, 0 somebody else does
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
-- WRITES
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
