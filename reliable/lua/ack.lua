-- Removes messages from a worker's hand and taken list.
-- KEYS: 3 messages, the worker's taken list, the worker's hand
-- ARGS: 1+ their keys
-- RETURNS: how many were there
local wanted, found = {}, {}
for _, key in ipairs(ARGV) do
  wanted[key] = true
end
for _, element in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do -- short, but in a list that an older version wrote
  local key = string.match(element, '^#[^ ]* (.*)$')
  local _, m = pcall(cjson.decode, not key and element)
  if wanted[key or type(m) == 'table' and m.id] then found[#found + 1] = {element, key} end
end
-- WRITES
local count = #found
for _, f in ipairs(found) do
  redis.call('LREM', KEYS[2], 1, f[1])
  if f[2] then redis.call('HDEL', KEYS[1], f[2]) end
end
for _, key in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[3], key) == 1 then
    redis.call('HDEL', KEYS[1], key)
    count = count + 1
  end
end
return count
