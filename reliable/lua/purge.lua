-- Throws away what waits, the head first, and what is delayed.
-- WITH: queue forget
-- KEYS: 14 the queue's and its worker's
-- ARGS: 1 how many at most
-- RETURNS: how many it threw away, then 1 where there may be more
-- WRITES
local elements, keys = redis.call('LRANGE', PENDING, -ARGV[1], -1), {}
if #elements > 0 then redis.call('LTRIM', PENDING, 0, -#elements - 1) end
local count = 0
for _, element in ipairs(elements) do
  local key = keyOf(element)
  if not key then count = count + 1 -- a whole envelope, as older versions wrote them
  elseif redis.call('SREM', GONE, key) == 0 then keys[#keys + 1] = key end
end
local delayed = redis.call('ZRANGE', DELAYED, 0, ARGV[1] - 1 - #elements)
if tonumber(ARGV[1]) == #elements then delayed = {} end
if #delayed > 0 then redis.call('ZREM', DELAYED, unpack(delayed)) end
for _, key in ipairs(delayed) do keys[#keys + 1] = key end
if #keys > 0 then forget(keys) end
if #keys + count > 0 then redis.call('HINCRBY', BOOKS, 'dropped', #keys + count) end
return {#keys + count, #elements + #delayed == tonumber(ARGV[1]) and 1 or 0}
