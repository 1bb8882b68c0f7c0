-- Drop a seal and admit modes again.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 nonce of the seal, 4 modes as `,a,b,`, or empty.
-- Returns: OK; SEALED when the bucket shows another seal, or none; or the refusal.
if field('sealed') ~= ARGV[3] then return 'SEALED' end
local refused = refusal()
if refused then return refused end
redis.call('HSET', META, 'sealed', '', 'modes', ARGV[4], 'epoch', EPOCH)
return 'OK'
