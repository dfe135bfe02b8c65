-- Shows that a process lives and gives it the names of its agents, all or none.
-- A name is free when its holder is this process, has left, is proven dead, or was silent for its gone_after.
-- A damaged agent holds no name; a damaged process has the default gone_after.
-- KEYS: 5 beats, seen, count, left, agents
-- ARGS: 4+ incarnation, process as JSON, incarnations proven dead as a JSON array, default gone_after in ms, then per agent: name, agent as JSON
-- RETURNS: {1, "", "", ""}; {-1, the process that holds a name as JSON, the name, the holder's incarnation} ErrNameTaken
local me = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local dead = {}
for _, incarnation in ipairs(cjson.decode(ARGV[3])) do dead[incarnation] = true end
local function field(text, name, kind)
  local ok, v = pcall(function() return cjson.decode(text)[name] end)
  if ok and type(v) == kind then return v end
end
for i = 5, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[5], ARGV[i])
  local holder = known and field(known, 'incarnation', 'string')
  if holder and holder ~= me and not dead[holder] and redis.call('SISMEMBER', KEYS[4], holder) == 0 then
    local beat = redis.call('HGET', KEYS[1], holder)
    local seen = tonumber(redis.call('HGET', KEYS[2], holder) or '') or 0
    local after = beat and field(beat, 'gone_after', 'number') or 0
    if after <= 0 then after = tonumber(ARGV[4]) * 1000000 end
    if beat and now - seen < after / 1000000 then
      return {-1, beat, ARGV[i], holder}
    end
  end
end
local beats = tonumber(redis.call('HGET', KEYS[3], me) or '') or 0
-- WRITES
redis.call('HSET', KEYS[1], me, ARGV[2])
redis.call('HSET', KEYS[2], me, string.format('%.0f', now))
redis.call('HSET', KEYS[3], me, string.format('%.0f', beats + 1))
redis.call('SREM', KEYS[4], me)
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
return {1, '', '', ''}
