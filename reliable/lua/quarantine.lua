-- Moves an element from a worker's list to the dead letters.
-- KEYS: 2 the worker's list, dead
-- ARGS: 3 the element, the dead letter's id, the dead letter without its time
-- RETURNS: 1, or 0 where the element is no longer there
local t = redis.call('TIME')
local letter = cjson.decode(ARGV[3])
letter.at = t[1] * 1000 + math.floor(t[2] / 1000)
local text = cjson.encode(letter)
-- WRITES
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], text)
return 1
