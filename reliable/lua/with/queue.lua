-- Names the keys of a queue, which all its scripts are given first, and the time.
local PENDING, MESSAGES, TAKERS, DELAYED, TRIES, DEAD, DIED, EXPIRES, GONE, BOOKS, PAUSED, RECEIPTS, TAKEN, HAND = unpack(KEYS, 1, 14)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function text(n) return string.format('%.0f', n) end
local function keyOf(element) return string.match(element, '^#[^ ]* (.*)$') end
local function tries(key) -- what is known of a message beyond its envelope
  local ok, t = pcall(cjson.decode, redis.call('HGET', TRIES, key))
  return ok and type(t) == 'table' and t or {}
end
