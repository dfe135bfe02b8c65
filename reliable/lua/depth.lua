-- Counts what lies where, at one moment.
-- KEYS: 3+ pending, takers, dead, then the list of each worker
-- ARGS: 0+ each worker
-- RETURNS: waiting, taken, dead, the element at the head or nil, now in ms;
--   -1 where the workers are not these: read them again
if redis.call('ZCARD', KEYS[2]) ~= #ARGV then
  return -1
end
local taken = 0
for i, worker in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[2], worker) then
    return -1
  end
  taken = taken + redis.call('LLEN', KEYS[i + 3])
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local head = redis.call('LINDEX', KEYS[1], -1)
return {redis.call('LLEN', KEYS[1]), taken, redis.call('HLEN', KEYS[3]), head, now}
