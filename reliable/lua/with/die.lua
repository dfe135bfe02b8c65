-- Makes a dead letter of a message, whose place the caller has ended.
local function die(key, reason, worker, raw)
  local letter = {reason = reason, worker = worker, at = now, attempts = tries(key).n or 0, raw = raw}
  redis.call('HSET', DEAD, key, cjson.encode(letter))
  redis.call('ZADD', DIED, text(now), key)
  redis.call('ZREM', EXPIRES, key)
end
