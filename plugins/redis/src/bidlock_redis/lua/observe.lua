-- Read one bucket's state.
--
-- Keys: 1 meta, 2 ctr, 3 quarantine.
-- Arguments: the last is the run_id of the connection's server, or empty: then ask it here.
-- Returns: {meta as field, value, …; ctr or '0'; quarantine as field, value, …; the server's run_id; its time in ms}.
local run = ARGV[#ARGV]
if run == '' then run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end
local now = redis.call('TIME')
local ms = now[1] .. string.sub(string.format('%06d', tonumber(now[2])), 1, 3)
return {redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2]) or '0', redis.call('HGETALL', KEYS[3]), run, ms}
