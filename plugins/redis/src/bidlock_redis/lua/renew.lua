-- Set the TTL of the attempt's lease anew.
--
-- Keys and arguments: as in guard.lua.
-- Returns: OK; LOST, or the guard's refusal.
local refused = guard()
if refused then return refused end
local state = original_state('')
if not mine(redis.call('GET', LEASE)) or state == 'held' then return {'LOST', 0, -1} end
redis.call('PEXPIRE', LEASE, TTL)
if ORIGINAL and state == 'mine' and redis.call('PTTL', ORIGINAL) >= 0 then
  redis.call('PEXPIRE', ORIGINAL, TTL)
elseif state == 'free' then
  take_original(state)
end
return {'OK', 0, -1}
