-- Lease the posting.
--
-- Keys: as in guard.lua.
-- Arguments: 8 floor of the token, 9 nonce of a lease that is passed on (or empty), 10 holder, 11 posted_at in Unix ms.
-- Returns: OK with the token; HELD with the remaining ms; DONE, WATERMARK, or the guard's refusal.
local refused, watermark = guard()
if refused then return refused end
if watermark > 0 and tonumber(ARGV[11]) <= watermark then return {'WATERMARK', 0, -1} end
if redis.call('HEXISTS', MARKERS, POSTING) == 1 then return {'DONE', 0, -1} end

local floor, passed_from = tonumber(ARGV[8]), ARGV[9]
local lease = redis.call('GET', LEASE)
local holder = owner_of(lease)
if lease and holder ~= NONCE and not (passed_from ~= '' and holder == passed_from) then
  return {'HELD', 0, redis.call('PTTL', LEASE)}
end
local state, left = original_state(passed_from)
if state == 'held' then return {'HELD', 0, left} end

local token
if holder == NONCE then
  -- The attempt asked before (its answer was lost): the same token, unless another store's is higher; the TTL anew.
  token = tonumber(string.match(lease, '^%x*|(%d+)|'))
  if token < floor then token = raise_counter(floor) end
else
  token = redis.call('INCR', CTR)
  if token < floor then token = raise_counter(floor) end
end
local now = redis.call('TIME')
local since = now[1] .. string.sub(string.format('%06d', tonumber(now[2])), 1, 3)
redis.call('SET', LEASE, NONCE .. '|' .. text(token) .. '|' .. since .. '|' .. ARGV[10], 'PX', TTL)
take_original(state)
return {'OK', token, -1}
