-- Admit this incarnation of the server: keep every key, write everything into meta, open the modes.
--
-- Keys: 1 meta, 2 ctr, 3 quarantine.
-- Arguments: 1 nonce of the quarantine that was seen, 2 owner, 3 format, 4 buckets, 5 hash, 6 modes as `,a,b,`, 7 epoch,
--   8 incarnation, 9 seal or empty, 10 watermark in Unix ms, 11 domain of the origin file or empty, 12 ttl_max in ms (never lowered),
--   13 margin in ms, 14 `1` when everything acknowledged is known to be kept, the last (run_id) is not used: the
--   script asks the server itself.
-- Returns: OK; ALREADY when the bucket is live as that incarnation; NONCE when the quarantine is another; OWNER or
--   FORMAT when meta is of another owner or layout; EPOCH when a later writer was here.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local m = redis.call('HMGET', KEYS[1], 'owner', 'run_id', 'format', 'buckets', 'hash', 'epoch', 'inc', 'watermark', 'ttl_max')
local q = redis.call('HMGET', KEYS[3], 'run_id', 'nonce')
if m[1] and m[1] ~= ARGV[2] then return 'OWNER' end
if m[2] == run and m[7] == ARGV[8] then return 'ALREADY' end
if q[1] ~= run or q[2] ~= ARGV[1] then return 'NONCE' end
if m[1] and (m[3] ~= ARGV[3] or m[4] ~= ARGV[4] or m[5] ~= ARGV[5]) then return 'FORMAT' end
if m[6] and tonumber(m[6]) > tonumber(ARGV[7]) then return 'EPOCH' end

local now = redis.call('TIME')
local ms = now[1] .. string.sub(string.format('%06d', tonumber(now[2])), 1, 3)
local watermark = ARGV[10]
if m[8] and tonumber(m[8]) > tonumber(watermark) then watermark = m[8] end
-- Leases of the old length may be among the keys that were kept, and draining waits for the longest.
local ttl_max = ARGV[12]
if m[9] and tonumber(m[9]) > tonumber(ttl_max) then ttl_max = m[9] end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'run_id', run, 'format', ARGV[3], 'buckets', ARGV[4], 'hash', ARGV[5],
  'modes', ARGV[6], 'epoch', ARGV[7], 'inc', ARGV[8], 'sealed', ARGV[9], 'watermark', watermark, 's_domain', ARGV[11],
  'ttl_max', ttl_max, 'margin', ARGV[13], 'synced_epoch', '0', 'closed_at', ms)
if ARGV[14] ~= '1' then redis.call('HSET', KEYS[1], 'lost_at', ms) end
local floor = tonumber(ARGV[8]) * 4294967296
if tonumber(redis.call('GET', KEYS[2]) or '0') < floor then redis.call('SET', KEYS[2], string.format('%.0f', floor)) end
redis.call('DEL', KEYS[3])
return 'OK'
