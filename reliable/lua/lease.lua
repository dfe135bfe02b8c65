-- Renews a worker's lease, moves what it has received into its hand, and sends home what nobody has received.
-- WITH: queue confirm
-- KEYS: 14 the queue's and the worker's
-- ARGS: 3+ the worker, its lease in ms, 1 to send home, then the names of calls that it has received
-- RETURNS: how many are in its hand
-- WRITES
redis.call('ZADD', TAKERS, text(now + ARGV[2]), ARGV[1])
local rest = confirm({unpack(ARGV, 4)})
for i = #rest, 1, -1 do
  local key = keyOf(rest[i])
  if ARGV[3] ~= '1' then redis.call('LPUSH', TAKEN, rest[#rest + 1 - i]) -- the oldest first
  else redis.call('RPUSH', PENDING, key and '# ' .. key or rest[i]) end -- the newest first, so that the oldest ends at the head
end
return redis.call('ZCARD', HAND)
