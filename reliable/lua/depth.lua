-- Counts what lies where, at one moment.
-- KEYS: 4+ pending, takers, dead, messages, then the taken list and the hand of each worker
-- ARGS: 0+ each worker
-- RETURNS: waiting, taken, dead, the message at the head or nil, now in ms;
--   -1 where the workers are not these: read them again
if redis.call('ZCARD', KEYS[2]) ~= #ARGV then
  return -1
end
local taken = 0
for i, worker in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[2], worker) then
    return -1
  end
  taken = taken + redis.call('LLEN', KEYS[2 * i + 3]) + redis.call('ZCARD', KEYS[2 * i + 4])
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local head = redis.call('LINDEX', KEYS[1], -1)
local key = head and string.match(head, '^#[^ ]* (.*)$')
if key then
  head = redis.call('HGET', KEYS[4], key)
end
return {redis.call('LLEN', KEYS[1]), taken, redis.call('HLEN', KEYS[3]), head, now}
