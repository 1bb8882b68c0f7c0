-- Note that a copy is complete: counter and watermark of the source, and the epoch under which it was made.
--
-- Keys: 2 ctr.
-- Arguments: 3 the incarnation in which the copy began, 4 the source's counter, 5 its watermark in Unix ms.
-- Returns: OK; CHANGED when the bucket runs as another incarnation; or the refusal.
local refused = refusal()
if refused then return refused end
if field('inc') ~= ARGV[3] then return 'CHANGED' end
redis.call('SET', KEYS[2], higher(redis.call('GET', KEYS[2]) or '0', ARGV[4]))
redis.call('HSET', META, 'watermark', higher(field('watermark'), ARGV[5]), 'epoch', EPOCH, 'synced_epoch', EPOCH)
return 'OK'
