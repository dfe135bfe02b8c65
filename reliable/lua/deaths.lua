-- Lists who has died after a time, but for those of this millisecond, which may be more yet.
-- WITH: queue
-- KEYS: 14 the queue's and its worker's
-- ARGS: 2 after that time, in ms; how many, and more only where they died in one millisecond
-- RETURNS: when the last of them died, then in turn their keys and letters
local keys = redis.call('ZRANGEBYSCORE', DIED, '(' .. ARGV[1], '(' .. text(now), 'LIMIT', 0, ARGV[2])
local last = #keys > 0 and redis.call('ZSCORE', DIED, keys[#keys]) or ARGV[1]
if #keys == tonumber(ARGV[2]) then keys = redis.call('ZRANGEBYSCORE', DIED, '(' .. ARGV[1], last) end
local answer = {last}
for _, key in ipairs(keys) do
  answer[#answer + 1], answer[#answer + 2] = key, redis.call('HGET', DEAD, key) or ''
end
return answer
