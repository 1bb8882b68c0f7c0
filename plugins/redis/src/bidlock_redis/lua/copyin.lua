-- Insert markers that are not there.
--
-- Keys: 2 and on: the shards that are touched.
-- Arguments: 3 the incarnation in which the copy began; then for each marker: the number of its shard's key, the
--   posting's key, the marker as it is stored.
-- Returns: OK; CHANGED when the bucket runs as another incarnation; or the refusal.
local refused = refusal()
if refused then return refused end
if field('inc') ~= ARGV[3] then return 'CHANGED' end
for i = 4, #ARGV - 1, 3 do redis.call('HSETNX', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
return 'OK'
