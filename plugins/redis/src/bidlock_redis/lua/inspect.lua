-- Read what the store knows about a posting.
--
-- Keys: 1 lease, 2 the markers' shard, 3 the original bot's key (only with original keys).
-- Arguments: 1 the posting's key, the last (run_id) is not used.
-- Returns: {lease or '', its PTTL, marker or '', the original bot's value or '', its PTTL}.
local original, left = '', -2
if KEYS[3] then
  original, left = redis.call('GET', KEYS[3]) or '', redis.call('PTTL', KEYS[3])
end
return {redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1]), redis.call('HGET', KEYS[2], ARGV[1]) or '', original, left}
