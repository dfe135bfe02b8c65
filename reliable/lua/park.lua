-- Moves messages of a worker to a shelf, whose lease never ends.
-- WITH: queue find off
-- KEYS: 15 the queue's and the worker's, the hand of the shelf
-- ARGS: 2+ the shelf, the keys of the messages
-- RETURNS: how many it had
local f = find({unpack(ARGV, 2)})
-- WRITES
if #f.found + #f.held == 0 then return 0 end
redis.call('ZADD', TAKERS, '+inf', ARGV[1])
local last = tonumber(redis.call('ZREVRANGE', KEYS[15], 0, 0, 'WITHSCORES')[2] or 0)
local keys = off(f)
for i, key in ipairs(keys) do redis.call('ZADD', KEYS[15], text(last + i), key) end
return #keys
