-- Counts what is where, at one moment, and reads the books. Books of a queue from before there were books are opened.
-- WITH: queue
-- KEYS: 14+ the queue's and its worker's, then the taken list and the hand of each worker
-- ARGS: 1+ 1 to open the books, then each worker
-- RETURNS: waiting, delayed, taken, dead, the message at the head or nil, now in ms, 1 where it is paused, pushed, done, dropped, failed,
--   what is in the books, name and value in turn;
--   -1 where the workers are not these: read them again
if redis.call('ZCARD', TAKERS) ~= #ARGV - 1 then
  return -1
end
local taken = 0
for i = 2, #ARGV do
  if not redis.call('ZSCORE', TAKERS, ARGV[i]) then
    return -1
  end
  taken = taken + redis.call('LLEN', KEYS[2 * i + 11]) + redis.call('ZCARD', KEYS[2 * i + 12])
end
local head = redis.call('LINDEX', PENDING, -1)
local key = head and keyOf(head)
if key then head = redis.call('HGET', MESSAGES, key) end
local waiting = redis.call('LLEN', PENDING) - redis.call('SCARD', GONE)
local delayed, dead = redis.call('ZCARD', DELAYED), redis.call('HLEN', DEAD)
local books = redis.call('HMGET', BOOKS, 'pushed', 'done', 'dropped', 'open', 'failed')
local pushed, done, dropped = tonumber(books[1] or 0), tonumber(books[2] or 0), tonumber(books[3] or 0)
local open = ARGV[1] == '1' and not books[4]
if open then pushed = waiting + delayed + taken + dead + done + dropped end
-- WRITES
if open then redis.call('HSET', BOOKS, 'pushed', pushed, 'open', 1) end
return {waiting, delayed, taken, dead, head, now, redis.call('EXISTS', PAUSED), pushed, done, dropped, tonumber(books[5] or 0), redis.call('HGETALL', BOOKS)}
