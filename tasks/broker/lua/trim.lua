-- Deletes archived tasks, those only that are still archived.
-- KEYS: 2+ archived, the hash of each task
-- ARGS: 1+ the task ids, in the order of the hashes
-- RETURNS: how many were deleted
-- WRITES
local deleted = 0
for i, id in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], id) == 1 then
    redis.call('DEL', KEYS[i + 1])
    deleted = deleted + 1
  end
end
return deleted
