-- Removes what is known of a process; its agents stay listed.
-- KEYS: 4 beats, seen, count, left
-- ARGS: 1 incarnation
-- RETURNS: 1 removed, 0 not known
-- WRITES
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
