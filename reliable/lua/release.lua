-- Gives back messages that a worker has not worked at: to the head, in their order, and without counting a delivery.
-- WITH: queue find off
-- KEYS: 14 the queue's and the worker's
-- ARGS: 1+ their keys, the oldest first
-- RETURNS: how many the worker had
local f = find(ARGV)
-- WRITES
local had, keys = {}, off(f)
for _, key in ipairs(keys) do had[key] = true end
for i = #ARGV, 1, -1 do
  local key = ARGV[i]
  if had[key] then
    had[key] = nil
    local ends = tries(key).exp
    if ends then redis.call('ZADD', EXPIRES, text(ends), key) end
    redis.call('RPUSH', PENDING, '# ' .. key)
  end
end
return #keys
