-- Pushes messages at the tail, each id once within the window.
-- KEYS: 3+ pending, messages, then the seen mark of each message
-- ARGS: 4+ the window in ms, a name that only this call has, then the id and the envelope of each message
-- RETURNS: how many of them this call pushed, now or when it was sent before
-- WRITES
local t = redis.call('TIME')
local at = string.format('"at":%.0f,', t[1] * 1000 + math.floor(t[2] / 1000))
local pushed = 0
for i = 3, #KEYS do
  local mark, key = ARGV[2] .. ':' .. i, ARGV[2 * i - 3]
  if redis.call('SET', KEYS[i], mark, 'NX', 'PX', ARGV[1]) then
    -- An older message of this id is still here: two messages, two keys.
    if redis.call('HEXISTS', KEYS[2], key) == 1 then key = '\255' .. mark .. ' ' .. key end
    -- Quotes inside of id and body are escaped, so only the field matches.
    local envelope = string.gsub(ARGV[2 * i - 2], '"at":0,', at)
    redis.call('HSET', KEYS[2], key, envelope)
    redis.call('LPUSH', KEYS[1], '# ' .. key)
    pushed = pushed + 1
  elseif redis.call('GET', KEYS[i]) == mark then
    pushed = pushed + 1
  end
end
return pushed
