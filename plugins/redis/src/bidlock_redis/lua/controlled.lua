-- Put in front of a controller's scripts. They are rare, so each asks the server itself which process it is.
--
-- Keys: 1 meta; 2 and on: the script's own.
-- Arguments: 1 owner, or empty: whoever owns the meta, but never `self`; 2 epoch, or empty where older controllers need
--   no refusal; 3 and on: the script's own; the last (run_id) is not used.
-- Returns, like every script of a controller: OK, or the word that refuses.
local META, OWNER, EPOCH = KEYS[1], ARGV[1], ARGV[2]

-- The word that refuses the controller, or nil.
local function refusal()
  local m = redis.call('HMGET', META, 'owner', 'run_id', 'epoch')
  if not m[1] then return 'CLOSED' end
  if m[1] == 'self' or (OWNER ~= '' and m[1] ~= OWNER) then return 'OWNER' end
  if m[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return 'CLOSED' end
  if EPOCH ~= '' and tonumber(m[3] or '0') > tonumber(EPOCH) then return 'EPOCH' end
end

local function field(name)
  return redis.call('HGET', META, name) or ''
end

-- The server's time, Unix milliseconds as text.
local function time_ms()
  local now = redis.call('TIME')
  return now[1] .. string.sub(string.format('%06d', tonumber(now[2])), 1, 3)
end

-- Raise a number that is kept as text; text in, text out, so that no digit is lost.
local function higher(old, given)
  local known = tonumber(old)
  if known and known >= tonumber(given) then return old end
  return given
end
