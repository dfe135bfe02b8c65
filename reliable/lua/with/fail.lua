-- Notes a delivery that failed. It answers the number of deliveries and how many are allowed, 0 for any number.
local function fail(key, worker, reason, most)
  local t = tries(key)
  t.n, t.h = (t.n or 0) + 1, t.h or {}
  t.h[#t.h + 1] = {attempt = t.n, at = now, worker = worker, reason = reason}
  if #t.h > 20 then table.remove(t.h, 1) end
  redis.call('HSET', TRIES, key, cjson.encode(t))
  redis.call('HINCRBY', BOOKS, 'failed', 1)
  return t.n, t.max or tonumber(most), t.exp
end
