-- Delete whatever lease is there, raise the counter, and write down who did it and why.
--
-- Keys: 1 lease, 2 ctr, 3 audit, 4 the original bot's key (only with original keys).
-- Arguments: 1 the posting's key, 2 by, 3 reason, 4 channel, the last (run_id) is not used.
-- Returns: {lease or '', its PTTL, '', the original bot's value or '', its PTTL}; empty values when there was none.
local lease, left = redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1])
local original, original_left = '', -2
if KEYS[4] then
  original, original_left = redis.call('GET', KEYS[4]) or '', redis.call('PTTL', KEYS[4])
  -- A claim of bidlock left it there for good: no lease, and not to be broken.
  if original_left == -1 and string.sub(original, 1, 4) == 'bl1:' then original, original_left = '', -2 end
end
if lease == '' and original == '' then return {'', -2, '', '', -2} end

local now = redis.call('TIME')
local entry = {at = tonumber(now[1]), posting = ARGV[1], by = ARGV[2], reason = ARGV[3], lease = lease, original = original}
redis.call('RPUSH', KEYS[3], cjson.encode(entry))
redis.call('LTRIM', KEYS[3], -10000, -1)
redis.call('INCR', KEYS[2])
redis.call('DEL', KEYS[1])
if original ~= '' then redis.call('DEL', KEYS[4]) end
redis.pcall('PUBLISH', ARGV[4], '1')
return {lease, left, '', original, original_left}
