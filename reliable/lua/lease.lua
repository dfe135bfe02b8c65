-- Renews a worker's lease, moves what it has received into its hand, and sends home what nobody has received.
-- KEYS: 4 pending, takers, the worker's taken list, the worker's hand
-- ARGS: 3+ the worker, its lease in ms, 1 to send home, then the elements that it has received
-- RETURNS: how many are in its hand
-- WRITES
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = tonumber(redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')[2] or 0)
for i = 4, #ARGV do
  if redis.call('LREM', KEYS[3], -1, ARGV[i]) == 1 then
    last = last + 1
    redis.call('ZADD', KEYS[4], string.format('%.0f', last), (string.match(ARGV[i], '^#[^ ]* (.*)$')))
  end
end
local element = ARGV[3] == '1' and redis.call('LPOP', KEYS[3])
while element do -- the newest first, so that the oldest ends at the head
  local key = string.match(element, '^#[^ ]* (.*)$')
  redis.call('RPUSH', KEYS[1], key and '# ' .. key or element)
  element = redis.call('LPOP', KEYS[3])
end
return redis.call('ZCARD', KEYS[4])
