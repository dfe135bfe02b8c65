-- Takes messages that find has found off a worker; it answers their keys.
local function off(f)
  if #f.found > 0 then
    redis.call('DEL', TAKEN)
    redis.call('ZREM', EXPIRES, unpack(f.found)) -- until it comes back
    if #f.rest > 0 then redis.call('RPUSH', TAKEN, unpack(f.rest)) end
  end
  if #f.held > 0 then redis.call('ZREM', HAND, unpack(f.held)) end
  for _, key in ipairs(f.found) do f.held[#f.held + 1] = key end
  return f.held
end
