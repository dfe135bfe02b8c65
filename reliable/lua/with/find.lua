-- Finds messages of a worker by their keys: found in its taken list, held in its hand, and the rest of the list, the newest first.
local function find(keys)
  local wanted, f = {}, {found = {}, held = {}, rest = {}}
  for _, key in ipairs(keys) do wanted[key] = true end
  local some = redis.call('EXISTS', GONE) == 1
  for _, element in ipairs(redis.call('LRANGE', TAKEN, 0, -1)) do -- short: what it has not confirmed
    local key = keyOf(element)
    if key and wanted[key] and not (some and redis.call('SISMEMBER', GONE, key) == 1) then f.found[#f.found + 1] = key else f.rest[#f.rest + 1] = element end
  end
  local places = #keys > 0 and redis.call('ZMSCORE', HAND, unpack(keys)) or {}
  for i, key in ipairs(keys) do
    if places[i] and wanted[key] then
      f.held[#f.held + 1] = key
      wanted[key] = nil -- named twice
    end
  end
  return f
end
