-- How many markers each shard holds.
--
-- Keys: the shards.
-- Arguments: only the run_id, which is not used.
-- Returns: {number, …}, in the order of the keys.
local sizes = {}
for i, shard in ipairs(KEYS) do sizes[i] = redis.call('HLEN', shard) end
return sizes
