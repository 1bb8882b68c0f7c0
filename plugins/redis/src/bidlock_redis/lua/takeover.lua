-- Make a live `self` bucket a controller's, with all its keys and its one mode. The clients it had are refused from now on.
--
-- Keys: 1 meta.
-- Arguments: 1 owner, 2 epoch, 3 domain of the origin file, 4 watermark in Unix ms, 5 ttl_max in ms (never lowered);
--   the last (run_id) is not used.
-- Returns: OK, also when it is this owner's already (then nothing is changed); CLOSED without meta or when the server
--   restarted since; OWNER when it is somebody else's.
local m = redis.call('HMGET', KEYS[1], 'owner', 'run_id', 'watermark', 'ttl_max')
if not m[1] or m[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return 'CLOSED' end
if m[1] == ARGV[1] then return 'OK' end
if m[1] ~= 'self' then return 'OWNER' end
local watermark = m[3] or '0'
if tonumber(watermark) < tonumber(ARGV[4]) then watermark = ARGV[4] end
local ttl_max = m[4] or '0'
if tonumber(ttl_max) < tonumber(ARGV[5]) then ttl_max = ARGV[5] end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', ARGV[2], 's_domain', ARGV[3], 'watermark', watermark, 'ttl_max', ttl_max)
return 'OK'
