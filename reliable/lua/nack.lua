-- Counts a failed delivery of messages, and has them delivered again later, or makes them dead letters.
-- WITH: queue find off fail die
-- KEYS: 14 the queue's and the worker's
-- ARGS: 5+ the worker, the reason, how many deliveries are allowed (0: any number), then of each message its key and the ms until it comes back
-- RETURNS: how many the worker had
local keys, after = {}, {}
for i = 4, #ARGV, 2 do
  keys[#keys + 1], after[ARGV[i]] = ARGV[i], tonumber(ARGV[i + 1])
end
local f = find(keys)
-- WRITES
keys = off(f)
for _, key in ipairs(keys) do
  local n, most, ends = fail(key, ARGV[1], ARGV[2], ARGV[3])
  if most > 0 and n >= most then die(key, ARGV[2], ARGV[1])
  elseif ends and ends <= now then die(key, 'it has expired; before that: ' .. ARGV[2], ARGV[1])
  else
    if ends then redis.call('ZADD', EXPIRES, text(ends), key) end
    if after[key] > 0 then redis.call('ZADD', DELAYED, text(now + after[key]), key)
    else redis.call('LPUSH', PENDING, '# ' .. key) end
  end
end
return #keys
