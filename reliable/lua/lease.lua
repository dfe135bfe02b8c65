-- Renews a worker's lease, and sends home what nobody has received.
-- WITH: queue
-- KEYS: 14 the queue's and the worker's
-- ARGS: 3+ the worker, its lease in ms, 1 to send home, then the names of calls that it has received
-- RETURNS: how many are in its hand
-- WRITES
redis.call('ZADD', TAKERS, text(now + ARGV[2]), ARGV[1])
if ARGV[3] == '1' then
  local received, kept = {}, {}
  for i = 4, #ARGV do received[ARGV[i]] = true end
  local list = redis.call('LRANGE', TAKEN, 0, -1)
  for _, element in ipairs(list) do -- the newest first, so that the oldest ends at the head
    local name, key = string.match(element, '^#([^ ]*) (.*)$')
    if key and received[name] then kept[#kept + 1] = element
    else redis.call('RPUSH', PENDING, key and '# ' .. key or element) end
  end
  if #kept < #list then redis.call('DEL', TAKEN) end
  if #kept > 0 and #kept < #list then redis.call('RPUSH', TAKEN, unpack(kept)) end
end
return redis.call('ZCARD', HAND)
