-- Shows that a process lives and gives it the names of its agents, all or none.
-- A name is free when its holder is this process, has left, is proven dead, or was silent for its gone_after.
-- KEYS: 5 beats, seen, count, left, agents
-- ARGS: 3+ incarnation, process as JSON, incarnations proven dead as a JSON array, then per agent: name, agent as JSON
-- RETURNS: {1, ""}; {-1, the process that holds a name as JSON, the name} ErrNameTaken
local me = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local dead = {}
for _, incarnation in ipairs(cjson.decode(ARGV[3])) do dead[incarnation] = true end
for i = 4, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[5], ARGV[i])
  local holder = known and cjson.decode(known).incarnation
  if holder and holder ~= me and not dead[holder] and redis.call('SISMEMBER', KEYS[4], holder) == 0 then
    local beat = redis.call('HGET', KEYS[1], holder)
    local seen = tonumber(redis.call('HGET', KEYS[2], holder) or 0)
    if beat and now - seen < cjson.decode(beat).gone_after / 1000000 then
      return {-1, beat, ARGV[i]}
    end
  end
end
-- WRITES
redis.call('HSET', KEYS[1], me, ARGV[2])
redis.call('HSET', KEYS[2], me, string.format('%.0f', now))
redis.call('HINCRBY', KEYS[3], me, 1)
redis.call('SREM', KEYS[4], me)
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
return {1, ''}
