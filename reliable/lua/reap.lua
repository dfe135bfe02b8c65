-- Takes what dead workers had in hand home to the head, in its order, and counts the attempt.
-- KEYS: 3+ pending, takers, then the list of each worker
-- ARGS: 3+ for how many ms a worker without work is remembered after its lease,
--   "named" to take also from those whose lease runs, else "lapsed", then each worker
-- RETURNS: how many messages went home
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local plan = {}
for i = 3, #KEYS do
  local lease = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or 0)
  if lease <= now or ARGV[2] == 'named' then
    local home = redis.call('LRANGE', KEYS[i], 0, -1)
    for j, raw in ipairs(home) do
      local _, m = pcall(cjson.decode, raw)
      -- What is no envelope goes home as it is: Receive makes it a dead letter.
      if type(m) == 'table' and type(m.id) == 'string' then
        m.attempt = (tonumber(m.attempt) or 0) + 1
        home[j] = cjson.encode(m)
      end
    end
    plan[#plan + 1] = {list = KEYS[i], home = home, worker = ARGV[i],
      forget = #home == 0 and lease + ARGV[1] <= now}
  end
end
-- WRITES
local count = 0
for _, p in ipairs(plan) do
  for _, raw in ipairs(p.home) do -- the newest first, so that the oldest ends at the head
    redis.call('RPUSH', KEYS[1], raw)
    count = count + 1
  end
  redis.call('DEL', p.list)
  -- Not at once: a BLMOVE that was sent before may still fill the list.
  if p.forget then
    redis.call('ZREM', KEYS[2], p.worker)
  end
end
return count
