-- Write the posting's marker, once and for all.
--
-- Keys: as in guard.lua.
-- Arguments: 8 the marker as it is stored.
-- Returns: OK (also when the attempt's own marker is there already); DONE, LOST, or the guard's refusal.
local refused = guard()
if refused then return refused end
local marker = redis.call('HGET', MARKERS, POSTING)
if marker then
  if mine(marker) then return {'OK', 0, -1} end
  return {'DONE', 0, -1}
end
if not mine(redis.call('GET', LEASE)) or original_state('') == 'held' then return {'LOST', 0, -1} end
-- Without a TTL: no original bot ever gets this posting again. First, so that a script that breaks off marks nothing.
if ORIGINAL then redis.call('SET', ORIGINAL, OURS .. NONCE) end
redis.call('HSET', MARKERS, POSTING, ARGV[8])
redis.call('INCR', CTR) -- counts markers too, so that an older copy of the store can be told by its counter
return {'OK', 0, -1}
