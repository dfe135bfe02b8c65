-- Moves what a worker has received by calls of these names from its taken list into its hand; it answers the rest, the oldest first.
local function confirm(names)
  local received, keys, rest = {}, {}, {}
  for _, name in ipairs(names) do received[name] = true end
  local list = redis.call('LRANGE', TAKEN, 0, -1)
  for i = #list, 1, -1 do -- an element that was given out again has another name by now, and stays
    local name, key = string.match(list[i], '^#([^ ]*) (.*)$')
    if key and received[name] then keys[#keys + 1] = key else rest[#rest + 1] = list[i] end
  end
  if #keys > 0 then
    local last, places = tonumber(redis.call('ZREVRANGE', HAND, 0, 0, 'WITHSCORES')[2] or 0), {}
    for i, key in ipairs(keys) do
      places[2 * i - 1], places[2 * i] = text(last + i), key
    end
    redis.call('ZADD', HAND, unpack(places))
  end
  if #list > 0 then redis.call('DEL', TAKEN) end
  return rest
end
