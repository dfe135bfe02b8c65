-- Notes that a process has said good-bye. A process that is not known is none.
-- KEYS: 2 beats, left
-- ARGS: 1 incarnation
-- RETURNS: 1 noted, 0 not known
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
-- WRITES
redis.call('SADD', KEYS[2], ARGV[1])
return 1
