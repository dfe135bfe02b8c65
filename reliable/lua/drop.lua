-- Throws dead letters away.
-- WITH: queue forget
-- KEYS: 14 the queue's and its worker's
-- ARGS: 1+ their keys
-- RETURNS: how many there were
local there = {}
for _, key in ipairs(ARGV) do
  if redis.call('HEXISTS', DEAD, key) == 1 then there[#there + 1] = key end
end
-- WRITES
if #there == 0 then return 0 end
local count = redis.call('HDEL', DEAD, unpack(there))
redis.call('ZREM', DIED, unpack(there))
forget(there)
redis.call('HINCRBY', BOOKS, 'dropped', count)
return count
