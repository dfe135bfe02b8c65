-- Removes a message of a worker and pushes its successor at the tail.
-- WITH: queue find off forget
-- KEYS: 15 the queue's and the worker's, the mark of the successor
-- ARGS: 5+ the window in ms, a name that only this call has, the successor's id, its envelope, the keys to remove
-- RETURNS: 1, also where this very call was sent before; -1 ErrNotTaken
local mark = redis.call('GET', KEYS[15])
if mark == ARGV[2] then
  return 1
end
local f = find({unpack(ARGV, 5)})
if #f.found + #f.held == 0 then
  return -1
end
local envelope = string.gsub(ARGV[4], '"at":0,', string.format('"at":%.0f,', now))
-- WRITES
redis.call('SET', KEYS[15], ARGV[2], 'PX', ARGV[1])
local keys, itself = off(f), false
forget(keys)
redis.call('HINCRBY', BOOKS, 'done', #keys)
for i = 5, #ARGV do itself = itself or ARGV[i] == ARGV[3] end
-- A message may succeed itself: then its mark is the one of the push before.
if not mark or itself then
  local key = ARGV[3]
  if redis.call('HEXISTS', MESSAGES, key) == 1 or redis.call('SISMEMBER', GONE, key) == 1 then key = '\255' .. ARGV[2] .. ' ' .. key end
  redis.call('HSET', MESSAGES, key, envelope)
  redis.call('LPUSH', PENDING, '# ' .. key)
  redis.call('HINCRBY', BOOKS, 'pushed', 1)
end
return 1
