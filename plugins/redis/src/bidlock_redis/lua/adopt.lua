-- Know the origin file by another domain. Holders of the old one may still be there, so it counts as a closing.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 domain.
-- Returns: OK, or the refusal.
local refused = refusal()
if refused then return refused end
redis.call('HSET', META, 's_domain', ARGV[3], 'epoch', EPOCH, 'closed_at', time_ms())
return 'OK'
