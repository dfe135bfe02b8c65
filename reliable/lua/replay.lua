-- Puts dead letters back at the tail, as if they had never been delivered; their history stays.
-- WITH: queue
-- KEYS: 14 the queue's and its worker's
-- ARGS: 2+ a name that only this call has, their keys
-- RETURNS: how many this call put back, now or when it was sent before
-- WRITES
local count = 0
for i = 2, #ARGV do
  local key = ARGV[i]
  local t, text = tries(key), redis.call('HGET', DEAD, key)
  if text then
    local ok, letter = pcall(cjson.decode, text)
    t.n, t.exp, t.replay = nil, nil, ARGV[1]
    redis.call('HSET', TRIES, key, cjson.encode(t))
    -- Older versions kept the envelope in the letter.
    if ok and type(letter.raw) == 'string' and letter.raw ~= '' then redis.call('HSETNX', MESSAGES, key, letter.raw) end
    redis.call('LPUSH', PENDING, '# ' .. key)
    redis.call('HDEL', DEAD, key)
    redis.call('ZREM', DIED, key)
    count = count + 1
  elseif t.replay == ARGV[1] then
    count = count + 1
  end
end
return count
