-- Makes a process the one sweeper for a while, or renews it. One that reads newer schemas takes the lead.
-- KEYS: 2 leader, schema that the leader reads
-- ARGS: 3 who, ms, schema that it reads
-- RETURNS: 1 leads, 0 another process does
local leader = redis.call('GET', KEYS[1])
local reads = tonumber(redis.call('GET', KEYS[2]) or '1')
if leader and leader ~= ARGV[1] and reads >= tonumber(ARGV[3]) then return 0 end
-- WRITES
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
return 1
