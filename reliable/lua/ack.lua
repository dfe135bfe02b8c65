-- Removes messages that a worker is done with.
-- WITH: queue find off forget
-- KEYS: 14 the queue's and the worker's
-- ARGS: 2+ how many receipts the queue keeps, then the messages' keys
-- RETURNS: how many it had
local f = find({unpack(ARGV, 2)})
-- WRITES
local keys, receipts = off(f), {}
if #keys == 0 then return 0 end
forget(keys)
redis.call('HINCRBY', BOOKS, 'done', #keys)
if ARGV[1] ~= '0' then
  for i, key in ipairs(keys) do receipts[2 * i - 1], receipts[2 * i] = text(now), key end
  redis.call('ZADD', RECEIPTS, unpack(receipts))
  redis.call('ZREMRANGEBYRANK', RECEIPTS, 0, -ARGV[1] - 1)
end
return #keys
