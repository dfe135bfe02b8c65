-- Forgets a worker that has nothing in hand.
-- WITH: queue
-- KEYS: 14 the queue's and the worker's
-- ARGS: 1 the worker
-- RETURNS: 1, or 0 where it still has messages
if redis.call('EXISTS', TAKEN, HAND) > 0 then return 0 end
-- WRITES
redis.call('ZREM', TAKERS, ARGV[1])
return 1
