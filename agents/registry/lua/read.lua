-- Reads all that is known, at one moment of Redis' clock.
-- KEYS: 5 beats, seen, count, left, agents
-- ARGS: 0
-- RETURNS: {ms of the clock, beats, seen, count, left, agents}, hashes as flat lists
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
return {
  string.format('%.0f', now), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]), redis.call('SMEMBERS', KEYS[4]), redis.call('HGETALL', KEYS[5]),
}
