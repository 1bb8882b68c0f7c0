-- Admit a mode, or admit some no more.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 the mode to admit, or empty, 4 the modes to admit no more as `,a,b,`, or empty.
-- Returns: OK, also when nothing changes (an older controller is locked out all the same); SEALED when a mode shall be
--   admitted while a seal stands; or the refusal.
local admit, shut = ARGV[3], ARGV[4]
if admit ~= '' and field('sealed') ~= '' then return 'SEALED' end
local refused = refusal()
if refused then return refused end

local modes = ''
for mode in string.gmatch(field('modes'), '[^,]+') do
  if mode ~= admit and not string.find(shut, ',' .. mode .. ',', 1, true) then modes = modes .. ',' .. mode end
end
if admit ~= '' then modes = modes .. ',' .. admit end
if modes ~= '' then modes = modes .. ',' end
redis.call('HSET', META, 'modes', modes, 'epoch', EPOCH)
-- From now on leases run out, and none begins.
if admit == '' then redis.call('HSET', META, 'closed_at', time_ms()) end
return 'OK'
