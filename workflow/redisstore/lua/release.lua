-- Takes a member off a lease, whether it owned it or waited.
-- KEYS: 1 members by their turn
-- ARGS: 2 member, number of owners
-- RETURNS: the owners after that
-- WRITES
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
