-- Moves delayed messages that are due to the tail, makes dead letters of expired ones, drops old dead letters, and lists the workers whose lease has lapsed.
-- WITH: queue die forget
-- KEYS: 14 the queue's and its worker's
-- ARGS: 2 how many of each at most, for how many ms a dead letter is kept (0: for ever)
-- RETURNS: 1 where there is more to do, else 0, then the workers
-- WRITES
local most, more = tonumber(ARGV[1]), 0
local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', text(now), 'LIMIT', 0, most)
for _, key in ipairs(due) do
  redis.call('LPUSH', PENDING, '# ' .. key)
  redis.call('ZREM', DELAYED, key)
end
local ended = redis.call('ZRANGEBYSCORE', EXPIRES, '-inf', text(now), 'LIMIT', 0, most)
for _, key in ipairs(ended) do
  -- Where it lies in pending, its element stays and is passed over: to look for it would take long.
  if redis.call('ZREM', DELAYED, key) == 0 then redis.call('SADD', GONE, key) end
  die(key, 'it has expired before it was taken', '')
end
for _ = 1, most do
  local head = redis.call('SCARD', GONE) > 0 and redis.call('LINDEX', PENDING, -1)
  if not head or redis.call('SREM', GONE, keyOf(head) or '') == 0 then break end
  redis.call('RPOP', PENDING)
end
local old = ARGV[2] ~= '0' and redis.call('ZRANGEBYSCORE', DIED, '-inf', text(now - ARGV[2]), 'LIMIT', 0, most) or {}
if #old > 0 then
  redis.call('HDEL', DEAD, unpack(old))
  redis.call('ZREM', DIED, unpack(old))
  forget(old)
  redis.call('HINCRBY', BOOKS, 'dropped', #old)
end
if #due == most or #ended == most or #old == most then more = 1 end
local answer = redis.call('ZRANGEBYSCORE', TAKERS, '-inf', text(now)) -- all: those who are remembered come before those who have died just now
table.insert(answer, 1, more)
return answer
