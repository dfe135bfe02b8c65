-- Moves messages from a worker's hand or taken list to a shelf, whose lease never ends.
-- KEYS: 4 takers, the worker's taken list, the worker's hand, the hand of the shelf
-- ARGS: 2+ the shelf, the keys of the messages
-- RETURNS: how many were there
local wanted, found = {}, {}
for i = 2, #ARGV do
  wanted[ARGV[i]] = true
  if redis.call('ZSCORE', KEYS[3], ARGV[i]) then found[#found + 1] = {ARGV[i]} end
end
for _, element in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do -- short: see ack
  local key = string.match(element, '^#[^ ]* (.*)$')
  if key and wanted[key] then found[#found + 1] = {key, element} end
end
-- WRITES
local last = tonumber(redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')[2] or 0)
for i, f in ipairs(found) do
  redis.call('ZREM', KEYS[3], f[1])
  if f[2] then redis.call('LREM', KEYS[2], 1, f[2]) end
  redis.call('ZADD', KEYS[4], string.format('%.0f', last + i), f[1])
  redis.call('ZADD', KEYS[1], '+inf', ARGV[1])
end
return #found
