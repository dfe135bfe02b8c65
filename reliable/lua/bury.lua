-- Makes dead letters of messages that a worker has.
-- WITH: queue find off fail die
-- KEYS: 14 the queue's and the worker's
-- ARGS: 4+ the worker, the reason, 1 where this was a delivery, then the messages' keys
-- RETURNS: how many it had
local f = find({unpack(ARGV, 4)})
-- WRITES
local keys = off(f)
for _, key in ipairs(keys) do
  if ARGV[3] == '1' then fail(key, ARGV[1], ARGV[2], '0') end
  die(key, ARGV[2], ARGV[1], redis.call('HEXISTS', MESSAGES, key) == 0 and '' or nil)
end
return #keys
