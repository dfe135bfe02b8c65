-- Moves a message that is no outbox entry from a worker's list to the dead letters of the outbox.
-- KEYS: 2 the worker's list, dead
-- ARGS: 2 the message's id, the dead letter without its time and the element
-- RETURNS: how many elements were moved
local found = {}
for _, raw in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local _, m = pcall(cjson.decode, raw)
  if type(m) == 'table' and m.id == ARGV[1] then found[#found + 1] = raw end
end
local letter = cjson.decode(ARGV[2])
local clock = redis.call('TIME')
letter.at = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- WRITES
for _, raw in ipairs(found) do
  letter.raw = raw
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(letter))
  redis.call('LREM', KEYS[1], 1, raw)
end
return #found
