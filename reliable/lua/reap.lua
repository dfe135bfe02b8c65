-- Takes what dead workers had home to the head, in its order, and counts the attempt.
-- KEYS: 5+ pending, takers, messages, then the taken list and the hand of each worker
-- ARGS: 4+ for how many ms a worker without work is remembered after its lease,
--   "named" to take also from those whose lease runs, else "lapsed", how many messages at most, then each worker
-- RETURNS: how many messages went home, then 1 where there are more
-- WRITES
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local count, more, left = 0, 0, tonumber(ARGV[3])
local function again(raw) -- what is no envelope stays as it is: Receive makes it a dead letter
  local _, m = pcall(cjson.decode, raw)
  if type(m) ~= 'table' or type(m.id) ~= 'string' then return raw end
  m.attempt = (tonumber(m.attempt) or 0) + 1
  return cjson.encode(m)
end
local function home(key)
  local raw = redis.call('HGET', KEYS[3], key)
  if raw then
    redis.call('HSET', KEYS[3], key, again(raw))
    redis.call('RPUSH', KEYS[1], '# ' .. key)
  end
end
for i = 4, #ARGV do
  local list, hand = KEYS[2 * i - 4], KEYS[2 * i - 3]
  local lease = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or 0)
  if lease <= now or ARGV[2] == 'named' then
    local was, had = left, redis.call('LLEN', list) + redis.call('ZCARD', hand)
    -- The newest first, so that the oldest ends at the head: first the list, which is younger than the hand.
    while left > 0 and redis.call('LLEN', list) > 0 do
      local element = redis.call('LPOP', list)
      local key = string.match(element, '^#[^ ]* (.*)$')
      if key then home(key) else redis.call('RPUSH', KEYS[1], again(element)) end
      count, left, had = count + 1, left - 1, had - 1
    end
    local keys = left > 0 and redis.call('ZREVRANGE', hand, 0, left - 1) or {}
    for _, key in ipairs(keys) do
      redis.call('ZREM', hand, key)
      home(key)
    end
    count, left, had = count + #keys, left - #keys, had - #keys
    if had > 0 then
      more = 1
    elseif left == was and lease + ARGV[1] <= now then
      -- Not at once: a BLMOVE that was sent before may still fill the list.
      redis.call('ZREM', KEYS[2], ARGV[i])
    end
  end
  if left == 0 then return {count, 1} end
end
return {count, more}
