-- Removes all that is known of messages, whose places the caller has ended.
local function forget(keys)
  redis.call('HDEL', MESSAGES, unpack(keys))
  redis.call('HDEL', TRIES, unpack(keys))
  redis.call('ZREM', EXPIRES, unpack(keys))
end
