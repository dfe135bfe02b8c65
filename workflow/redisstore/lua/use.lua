-- Changes the active lifecycle of a store that is not empty.
-- KEYS: 1 meta
-- ARGS: 1 lifecycle
-- RETURNS: 1 changed; -1 the store is empty (ErrNotFound)
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
-- WRITES
redis.call('HSET', KEYS[1], 'lifecycle', ARGV[1])
return 1
