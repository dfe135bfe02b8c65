-- Removes a task from its queue wherever it is, active or half gone.
-- KEYS: 8 pending, active, lease, scheduled, retry, archived, completed, the task's hash
-- ARGS: 1 task id
-- RETURNS: 1
-- WRITES
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('LREM', KEYS[2], 0, ARGV[1])
for i = 3, 7 do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
redis.call('DEL', KEYS[8])
return 1
