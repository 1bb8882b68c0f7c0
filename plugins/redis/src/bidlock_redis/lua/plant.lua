-- Give this incarnation of the server a name, under which it can be blessed.
--
-- Keys: 1 meta, 2 quarantine.
-- Arguments: 1 a fresh nonce, 2 owner, the last (run_id) is not used: the script asks the server itself.
-- Returns: {ALREADY, ''} when the bucket is live; {OWNER, ''} when somebody else's meta or quarantine stands there;
--   else {OK, nonce}: the nonce of the quarantine that was there for this run, or the fresh one.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta = redis.call('HMGET', KEYS[1], 'owner', 'run_id')
if meta[1] and meta[1] ~= ARGV[2] then return {'OWNER', ''} end
if meta[2] == run then return {'ALREADY', ''} end
local quarantine = redis.call('HMGET', KEYS[2], 'owner', 'run_id', 'nonce')
if quarantine[2] == run then
  if quarantine[1] ~= ARGV[2] then return {'OWNER', ''} end
  return {'OK', quarantine[3]}
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'run_id', run, 'nonce', ARGV[1], 'since', redis.call('TIME')[1])
return {'OK', ARGV[1]}
