-- Put in front of the scripts of an attempt: acquire, confirm, renew, claim, record, mark.
--
-- Keys: 1 meta, 2 ctr, 3 lease, 4 the markers' shard, 5 the original bot's key (only with original keys).
-- Arguments: 1 nonce, 2 mode, 3 domain, 4 ttl in ms, 5 owner, 6 layout as `format|buckets|hash`, 7 the posting's key,
--   8 and on: the script's own; the last is the run_id of the connection's server, or empty: then ask it here
--   (something may swap servers behind one connection).
-- Returns, like every script of an attempt: {verdict, token, remaining ms or -1}.
local NONCE, TTL, POSTING = ARGV[1], ARGV[4], ARGV[7]
local META, CTR, LEASE, MARKERS, ORIGINAL = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local OURS = 'bl1:'

local function run_id()
  local known = ARGV[#ARGV]
  if known ~= '' then return known end
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- The answer that refuses the attempt, or nil, and the watermark. Lasting mistakes of configuration are told before
-- states that pass: who has the wrong owner should not wait for a store to open that never will be theirs.
local function guard()
  local m = redis.call('HMGET', META, 'owner', 'format', 'buckets', 'hash', 'run_id', 'modes', 's_domain', 'ttl_max', 'watermark')
  if not m[1] then return {'CLOSED', 0, -1} end
  if m[1] ~= ARGV[5] then return {'OWNER', 0, -1} end
  if (m[2] or '') .. '|' .. (m[3] or '') .. '|' .. (m[4] or '') ~= ARGV[6] then return {'FORMAT', 0, -1} end
  if m[5] ~= run_id() then return {'CLOSED', 0, -1} end
  if not string.find(m[6] or '', ',' .. ARGV[2] .. ',', 1, true) then return {'MODE', 0, -1} end
  if ARGV[2] == 'strict' and m[7] ~= ARGV[3] then return {'DOMAIN', 0, -1} end
  if tonumber(TTL) > tonumber(m[8] or '0') then return {'TTL', 0, -1} end
  return nil, tonumber(m[9] or '0') or 0
end

-- Numbers as text without an exponent: tokens grow beyond what tostring writes in full.
local function text(number)
  return string.format('%.0f', number)
end

-- The nonce in front of a lease or a marker; nil when there is none.
local function owner_of(value)
  return value and string.match(value, '^(%x*)|')
end

local function mine(value)
  return owner_of(value) == NONCE
end

local function raise_counter(token)
  local counter = tonumber(redis.call('GET', CTR) or '0')
  if counter < token then
    redis.call('SET', CTR, text(token))
    return token
  end
  return counter
end

-- The original bot's key: `free`, `mine`, `spent` (a bidlock claim left it there for good) or `held`; and its PTTL.
local function original_state(passed_from)
  if not ORIGINAL then return 'free', -1 end
  local value = redis.call('GET', ORIGINAL)
  if not value then return 'free', -1 end
  local left = redis.call('PTTL', ORIGINAL)
  if value == OURS .. NONCE or (passed_from ~= '' and value == OURS .. passed_from) then return 'mine', left end
  if left == -1 and string.sub(value, 1, #OURS) == OURS then return 'spent', left end
  return 'held', left
end

local function take_original(state)
  if ORIGINAL and state ~= 'spent' then redis.call('SET', ORIGINAL, OURS .. NONCE, 'PX', TTL) end
end
