-- Sets the time to the next look at a record that is still as it was seen. One that is not there is looked at no more.
-- KEYS: 2 record, due
-- ARGS: 3 id, seen version (-1: any), ms to the next look (0: none)
-- RETURNS: 1 set, 0 the record has changed, whoever changed it has set the time
local version = redis.call('HGET', KEYS[1], 'v')
if version and ARGV[2] ~= '-1' and version ~= ARGV[2] then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- WRITES
if not version or ARGV[3] == '0' then redis.call('ZREM', KEYS[2], ARGV[1])
else redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), ARGV[1]) end
return 1
