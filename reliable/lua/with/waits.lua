-- Counts how long messages have waited that are delivered for the first time, in steps of a quarter.
local function waits(raws, known)
  local counts = {}
  for i, raw in ipairs(raws) do
    local at = raw and not known[i] and tonumber(string.match(raw, '^{"id":.-,"attempt":0,"at":(%d+),'))
    if at then
      local step = 'w' .. math.ceil(math.log(math.max(0, now - at) + 1) / math.log(1.25))
      counts[step] = (counts[step] or 0) + 1
    end
  end
  for step, n in pairs(counts) do redis.call('HINCRBY', BOOKS, step, n) end
end
