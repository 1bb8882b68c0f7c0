-- Write what became of the bid into the attempt's own marker.
--
-- Keys: as in guard.lua.
-- Arguments: 8 letter of the state.
-- Returns: OK; LOST when the marker is another's or missing, or the guard's refusal.
local refused = guard()
if refused then return refused end
local marker = redis.call('HGET', MARKERS, POSTING)
if not mine(marker) then return {'LOST', 0, -1} end
redis.call('HSET', MARKERS, POSTING, (string.gsub(marker, '^(%x*|%d+|)%a', '%1' .. ARGV[8])))
return {'OK', 0, -1}
