-- Removes messages from a worker's list by their ids.
-- KEYS: 1 the worker's list
-- ARGS: 1+ the ids
-- RETURNS: how many were there
local wanted, found = {}, {}
for _, id in ipairs(ARGV) do
  wanted[id] = true
end
for _, raw in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local _, m = pcall(cjson.decode, raw)
  if type(m) == 'table' and wanted[m.id] then
    found[#found + 1] = raw
  end
end
-- WRITES
for _, raw in ipairs(found) do
  redis.call('LREM', KEYS[1], 1, raw)
end
return #found
