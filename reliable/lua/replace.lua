-- Removes a message from a worker's list and pushes its successor at the tail.
-- KEYS: 3 pending, the worker's list, the seen mark of the successor
-- ARGS: 5 the window in ms, a name that only this call has, the id to remove, the successor's id, its envelope
-- RETURNS: 1, also where this very call was sent before; -1 ErrNotTaken
local found = {}
for _, raw in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local _, m = pcall(cjson.decode, raw)
  if type(m) == 'table' and m.id == ARGV[3] then
    found[#found + 1] = raw
  end
end
local mark = redis.call('GET', KEYS[3])
if #found == 0 then
  if mark == ARGV[2] then
    return 1
  end
  return -1
end
local t = redis.call('TIME')
local at = string.format('"at":%.0f,', t[1] * 1000 + math.floor(t[2] / 1000))
local envelope = string.gsub(ARGV[5], '"at":0,', at)
-- WRITES
for _, raw in ipairs(found) do
  redis.call('LREM', KEYS[2], 1, raw)
end
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[1])
-- A message may succeed itself: then its mark is the one of the push before.
if not mark or ARGV[3] == ARGV[4] then
  redis.call('LPUSH', KEYS[1], envelope)
end
return 1
