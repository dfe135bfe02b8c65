-- Takes what dead workers had home to the head, in its order, and counts the delivery.
-- WITH: queue fail die
-- KEYS: 16+ the queue's and its worker's, then the taken list and the hand of each dead worker
-- ARGS: 6+ for how many ms a worker without work is remembered after its lease, "named" to take also from those whose lease runs, else "lapsed",
--   how many messages at most, how many deliveries are allowed (0: any number), the reason, then each worker
-- RETURNS: how many messages went home, then 1 where there are more
-- WRITES
local count, more, left = 0, 0, tonumber(ARGV[3])
local function again(raw) -- a whole envelope, as older versions wrote them, or no message
  local _, m = pcall(cjson.decode, raw)
  if type(m) ~= 'table' or type(m.id) ~= 'string' then return raw end
  m.attempt = (tonumber(m.attempt) or 0) + 1
  return cjson.encode(m)
end
local function home(key, worker)
  if redis.call('SREM', GONE, key) == 1 then return end
  local n, most, ends = fail(key, worker, ARGV[5], ARGV[4])
  if most > 0 and n >= most then return die(key, ARGV[5], worker) end
  if ends then redis.call('ZADD', EXPIRES, text(ends), key) end
  redis.call('RPUSH', PENDING, '# ' .. key)
end
for i = 6, #ARGV do
  local list, hand = KEYS[2 * i + 3], KEYS[2 * i + 4]
  local lease = tonumber(redis.call('ZSCORE', TAKERS, ARGV[i]) or 0)
  if lease <= now or ARGV[2] == 'named' then
    local was, had = left, redis.call('LLEN', list) + redis.call('ZCARD', hand)
    -- The newest first, so that the oldest ends at the head: first the list, which is younger than the hand.
    while left > 0 and redis.call('LLEN', list) > 0 do
      local element = redis.call('LPOP', list)
      local key = keyOf(element)
      if key then home(key, ARGV[i]) else redis.call('RPUSH', PENDING, again(element)) end
      count, left, had = count + 1, left - 1, had - 1
    end
    local keys = left > 0 and redis.call('ZREVRANGE', hand, 0, left - 1) or {}
    if #keys > 0 then redis.call('ZREM', hand, unpack(keys)) end
    for _, key in ipairs(keys) do home(key, ARGV[i]) end
    count, left, had = count + #keys, left - #keys, had - #keys
    if had > 0 then
      more = 1
    elseif left == was and lease + ARGV[1] <= now then
      -- Not at once: a BLMOVE that was sent before may still fill the list.
      redis.call('ZREM', TAKERS, ARGV[i])
    end
  end
  if left == 0 then return {count, 1} end
end
return {count, more}
