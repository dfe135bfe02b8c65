-- Moves a message from a worker's hand or taken list to the dead letters.
-- KEYS: 4 messages, the worker's taken list, the worker's hand, dead
-- ARGS: 4 the message's key, or "" to name it by its element, the element, the dead letter's id,
--   the dead letter without its time, and without raw where it has no raw64
-- RETURNS: 1, or 0 where the message is no longer there
local held = ARGV[1] ~= '' and redis.call('ZSCORE', KEYS[3], ARGV[1])
local raw = held and redis.call('HGET', KEYS[1], ARGV[1])
local element
for _, e in ipairs(held and {} or redis.call('LRANGE', KEYS[2], 0, -1)) do -- short: see ack
  local key = string.match(e, '^#[^ ]* (.*)$')
  local _, m = pcall(cjson.decode, not key and e)
  if key and key == ARGV[1] then
    element, raw = e, redis.call('HGET', KEYS[1], key)
  elseif e == ARGV[2] or not key and ARGV[1] ~= '' and type(m) == 'table' and m.id == ARGV[1] then
    element, raw = e, e
  end
end
if not held and not element then
  return 0
end
local letter = cjson.decode(ARGV[4])
if not letter.raw64 then letter.raw = raw or '' end
local t = redis.call('TIME')
letter.at = t[1] * 1000 + math.floor(t[2] / 1000)
local text = cjson.encode(letter)
-- WRITES
if held then redis.call('ZREM', KEYS[3], ARGV[1]) else redis.call('LREM', KEYS[2], 1, element) end
if element ~= raw then redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[4], ARGV[3], text)
return 1
