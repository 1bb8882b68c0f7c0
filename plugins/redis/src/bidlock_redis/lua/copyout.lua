-- Read the markers of some shards.
--
-- Keys: the shards.
-- Arguments: only the run_id, which is not used.
-- Returns: {{posting's key, marker as it is stored, …}, …}, in the order of the keys.
local markers = {}
for i, shard in ipairs(KEYS) do markers[i] = redis.call('HGETALL', shard) end
return markers
