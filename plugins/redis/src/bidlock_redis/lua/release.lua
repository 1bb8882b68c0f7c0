-- Delete the lease if it is the attempt's, and tell waiters. No guard: it only ever deletes its own.
--
-- Keys: 1 lease, 2 the original bot's key (only with original keys).
-- Arguments: 1 nonce, 2 channel, the last (run_id) is not used.
-- Returns: {OK or LOST, 0, -1}.
local lease = redis.call('GET', KEYS[1])
local mine = lease and string.match(lease, '^(%x*)|') == ARGV[1]
if mine then redis.call('DEL', KEYS[1]) end
-- After a claim the original bot's key has no TTL and stays.
if KEYS[2] and redis.call('GET', KEYS[2]) == 'bl1:' .. ARGV[1] and redis.call('PTTL', KEYS[2]) >= 0 then
  redis.call('DEL', KEYS[2])
end
if not mine then return {'LOST', 0, -1} end
redis.pcall('PUBLISH', ARGV[2], '1') -- a user without the channel's permission releases all the same; waiters poll
return {'OK', 0, -1}
