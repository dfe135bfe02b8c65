-- Removes a message from a worker's hand or taken list and pushes its successor at the tail.
-- KEYS: 5 pending, messages, the worker's taken list, the worker's hand, the seen mark of the successor
-- ARGS: 5+ the window in ms, a name that only this call has, the successor's id, its envelope, the keys to remove
-- RETURNS: 1, also where this very call was sent before; -1 ErrNotTaken
local mark = redis.call('GET', KEYS[5])
if mark == ARGV[2] then
  return 1
end
local wanted, found, held = {}, {}, {}
for i = 5, #ARGV do
  wanted[ARGV[i]] = true
  if redis.call('ZSCORE', KEYS[4], ARGV[i]) then held[#held + 1] = ARGV[i] end
end
for _, element in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do -- as in ack
  local key = string.match(element, '^#[^ ]* (.*)$')
  local _, m = pcall(cjson.decode, not key and element)
  if wanted[key or type(m) == 'table' and m.id] then found[#found + 1] = {element, key} end
end
if #found + #held == 0 then
  return -1
end
local t = redis.call('TIME')
local at = string.format('"at":%.0f,', t[1] * 1000 + math.floor(t[2] / 1000))
local envelope = string.gsub(ARGV[4], '"at":0,', at)
-- WRITES
redis.call('SET', KEYS[5], ARGV[2], 'PX', ARGV[1])
for _, f in ipairs(found) do
  redis.call('LREM', KEYS[3], 1, f[1])
  if f[2] then redis.call('HDEL', KEYS[2], f[2]) end
end
for _, key in ipairs(held) do
  redis.call('ZREM', KEYS[4], key)
  redis.call('HDEL', KEYS[2], key)
end
-- A message may succeed itself: then its mark is the one of the push before.
if not mark or wanted[ARGV[3]] then
  local key = ARGV[3]
  if redis.call('HEXISTS', KEYS[2], key) == 1 then key = '\255' .. ARGV[2] .. ' ' .. key end
  redis.call('HSET', KEYS[2], key, envelope)
  redis.call('LPUSH', KEYS[1], '# ' .. key)
end
return 1
