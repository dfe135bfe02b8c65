-- Reads the store's identity, and writes it first where the store is empty. A program that reads a newer schema raises it.
-- KEYS: 1 meta
-- ARGS: 4 schema, store id, partitions, lifecycle
-- RETURNS: {schema, store id, partitions, lifecycle}
local schema = redis.call('HGET', KEYS[1], 'schema')
local empty = redis.call('EXISTS', KEYS[1]) == 0
local older = schema and tonumber(schema) and tonumber(schema) < tonumber(ARGV[1])
-- WRITES
if empty then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'store_id', ARGV[2], 'partitions', ARGV[3], 'lifecycle', ARGV[4])
elseif older then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1])
end
return redis.call('HMGET', KEYS[1], 'schema', 'store_id', 'partitions', 'lifecycle')
