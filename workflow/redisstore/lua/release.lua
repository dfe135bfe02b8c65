-- Takes a member off a lease, whether it owned it or waited.
-- KEYS: 1 members by their turn
-- ARGS: 1 member
-- RETURNS: the owner after that, "" for none
-- WRITES
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] or ''
