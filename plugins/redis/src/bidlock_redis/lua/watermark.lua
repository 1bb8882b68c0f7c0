-- Refuse postings that are not newer; never lowered.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 watermark in Unix ms.
-- Returns: OK, or the refusal.
local refused = refusal()
if refused then return refused end
redis.call('HSET', META, 'watermark', higher(field('watermark'), ARGV[3]))
return 'OK'
