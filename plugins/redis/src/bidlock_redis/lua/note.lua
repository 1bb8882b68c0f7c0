-- Note whether the server has every write on disk before it answers. A restart is judged by what was seen before it.
--
-- Keys: as in controlled.lua.
-- Arguments: 3 `1` when it has, else `0`.
-- Returns: OK, or the refusal.
local refused = refusal()
if refused then return refused end
redis.call('HSET', META, 'durable', ARGV[3])
return 'OK'
