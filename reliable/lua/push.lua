-- Pushes messages at the tail, each id once within its window, or none of them.
-- WITH: queue die
-- KEYS: 14+ the queue's, its worker's, then the mark of each message
-- ARGS: 9+ a number that only this call has, how many may wait (0: any number), then of each message its id, envelope,
--   window, delay and time to live in ms (0: none), what is known of it beyond its envelope as JSON or "", and why it is dead or ""
-- RETURNS: how many of them this call pushed, now or when it was sent before; -1 ErrFull
local fresh = 0 -- dead letters do not wait
for i = 15, #KEYS do
  if ARGV[9 + 7 * (i - 15)] == '' then fresh = fresh + 1 - redis.call('EXISTS', KEYS[i]) end
end
local limit = tonumber(ARGV[2])
if limit > 0 and fresh > 0 and
  redis.call('LLEN', PENDING) - redis.call('SCARD', GONE) + redis.call('ZCARD', DELAYED) + fresh > limit then
  return -1
end
local new = redis.call('EXISTS', BOOKS, MESSAGES, PENDING, DEAD) == 0
-- WRITES
local at = string.format('"at":%.0f,', now)
local pushed, added, elements = 0, 0, {}
for i = 15, #KEYS do
  local a, mark = 3 + 7 * (i - 15), text(ARGV[1] + i) -- a number: Redis keeps it in half the memory
  local key, delay, life, known, why = ARGV[a], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), ARGV[a + 5], ARGV[a + 6]
  if redis.call('SET', KEYS[i], mark, 'NX', 'PX', ARGV[a + 2]) then
    -- An older message of this id is still here: two messages, two keys.
    if redis.call('HEXISTS', MESSAGES, key) == 1 or redis.call('SISMEMBER', GONE, key) == 1 then key = '\255' .. mark .. ' ' .. key end
    -- Quotes inside of id and body are escaped, so only the field matches.
    local envelope = string.gsub(ARGV[a + 1], '"at":0,', at)
    redis.call('HSET', MESSAGES, key, envelope)
    if life > 0 then
      local t = known ~= '' and cjson.decode(known) or {}
      t.exp, known = now + life, nil
      known = cjson.encode(t)
      redis.call('ZADD', EXPIRES, text(now + life), key)
    end
    if known ~= '' then redis.call('HSET', TRIES, key, known) end
    if why ~= '' then die(key, why, '')
    elseif delay > 0 then redis.call('ZADD', DELAYED, text(now + delay), key)
    else elements[#elements + 1] = '# ' .. key end
    pushed, added = pushed + 1, added + 1
  elseif redis.call('GET', KEYS[i]) == mark then
    pushed = pushed + 1
  end
end
if #elements > 0 then redis.call('LPUSH', PENDING, unpack(elements)) end
if added > 0 then redis.call('HINCRBY', BOOKS, 'pushed', added) end
if new and added > 0 then redis.call('HSET', BOOKS, 'open', 1) end
return pushed
