-- Insert a marker if there is none; no lease is asked for.
--
-- Keys: as in guard.lua.
-- Arguments: 8 the marker as it is stored.
-- Returns: OK (also when the attempt's own marker is there already); DONE, or the guard's refusal.
local refused = guard()
if refused then return refused end
local marker = redis.call('HGET', MARKERS, POSTING)
if marker then
  if mine(marker) then return {'OK', 0, -1} end
  return {'DONE', 0, -1}
end
local state = original_state('')
if ORIGINAL and (state == 'free' or state == 'mine') then redis.call('SET', ORIGINAL, OURS .. NONCE) end
redis.call('HSET', MARKERS, POSTING, ARGV[8])
redis.call('INCR', CTR)
return {'OK', 0, -1}
