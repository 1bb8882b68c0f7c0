-- Whether the lease is still the attempt's; raise the counter to its token.
--
-- Keys: as in guard.lua.
-- Arguments: 8 token.
-- Returns: OK with the token; LOST, or the guard's refusal.
local refused = guard()
if refused then return refused end
if not mine(redis.call('GET', LEASE)) or original_state('') == 'held' then return {'LOST', 0, -1} end
raise_counter(tonumber(ARGV[8]))
return {'OK', tonumber(ARGV[8]), -1}
