-- Close every window and show the seal, in one step: no write that matters can follow it.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 nonce of the seal.
-- Returns: OK, or the refusal.
local refused = refusal()
if refused then return refused end
redis.call('HSET', META, 'modes', '', 'sealed', ARGV[3], 'epoch', EPOCH, 'closed_at', time_ms())
return 'OK'
