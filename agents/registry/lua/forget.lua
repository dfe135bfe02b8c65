-- Removes what is known of a process; its agents stay listed.
-- KEYS: 4 beats, seen, count, left
-- ARGS: 2 incarnation, number of its heartbeats when it was read
-- RETURNS: 1 removed, 0 not known, or it has beaten since
local beats = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '') or 0
if beats ~= tonumber(ARGV[2]) then return 0 end
-- WRITES
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
