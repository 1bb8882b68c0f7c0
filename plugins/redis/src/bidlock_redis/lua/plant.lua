-- Give this incarnation of the server a name, under which it can be blessed.
--
-- Keys: 1 meta, 2 quarantine.
-- Arguments: 1 a fresh nonce, 2 owner, or empty for a controller: then whoever owns the meta, but never `self`; the
--   last (run_id) is not used: the script asks the server itself.
-- Returns: {ALREADY, ''} when the bucket is of this process and has an open window; {OWNER, ''} when somebody else's
--   meta or quarantine stands there; else {OK, nonce}: the nonce of the quarantine that was there for this run, or the
--   fresh one.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local meta = redis.call('HMGET', KEYS[1], 'owner', 'run_id', 'modes')
local owner, controller = ARGV[2], ARGV[2] == ''
if controller then owner = meta[1] or 'controller' end
if meta[1] and (meta[1] ~= owner or controller and owner == 'self') then return {'OWNER', ''} end
if meta[2] == run and string.find(meta[3] or '', '%w') then return {'ALREADY', ''} end
local quarantine = redis.call('HMGET', KEYS[2], 'owner', 'run_id', 'nonce')
if quarantine[2] == run then
  -- A controller may bless under whatever name this run has: two that do are told apart by the meta of the first.
  if quarantine[1] ~= owner and not controller then return {'OWNER', ''} end
  return {'OK', quarantine[3]}
end
local now = redis.call('TIME')
local since = now[1] .. string.sub(string.format('%06d', tonumber(now[2])), 1, 3)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'owner', owner, 'run_id', run, 'nonce', ARGV[1], 'since', since)
return {'OK', ARGV[1]}
