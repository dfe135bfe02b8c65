-- Pushes messages at the tail, each id once within the window.
-- KEYS: 2+ pending, then the seen mark of each message
-- ARGS: 3+ the window in ms, a name that only this call has, then the envelope of each message
-- RETURNS: how many of them this call pushed, now or when it was sent before
-- WRITES
local t = redis.call('TIME')
local at = string.format('"at":%.0f,', t[1] * 1000 + math.floor(t[2] / 1000))
local pushed = 0
for i = 2, #KEYS do
  local mark = ARGV[2] .. ':' .. i
  if redis.call('SET', KEYS[i], mark, 'NX', 'PX', ARGV[1]) then
    -- Quotes inside of id and body are escaped, so only the field matches.
    local envelope = string.gsub(ARGV[i + 1], '"at":0,', at)
    redis.call('LPUSH', KEYS[1], envelope)
    pushed = pushed + 1
  elseif redis.call('GET', KEYS[i]) == mark then
    pushed = pushed + 1
  end
end
return pushed
