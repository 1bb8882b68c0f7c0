-- The controller's statements. Each runs inside one transaction of its own.

-- name: set_window
-- arguments: modes as ',sqlite,dual,', epoch
-- returns: nothing
UPDATE bidlock_meta SET modes = ?, epoch = ? WHERE id = 1;

-- name: note_closing
-- arguments: now, Unix seconds
-- returns: nothing
UPDATE bidlock_meta SET closed_at = ? WHERE id = 1;

-- name: lift_watermark
-- arguments: watermark, Unix milliseconds
-- returns: nothing; the watermark never sinks
UPDATE bidlock_meta SET watermark_ms = max(watermark_ms, ?) WHERE id = 1;

-- name: resting
-- arguments: moment, Unix seconds
-- returns: 1 if a lease that rests on this store alone outlives the moment, else 0: one of ours in a mode that needs no
--          other store, one of ours that nobody knows more about, or one of an original bot. No expiry: never drained.
SELECT EXISTS (
    SELECT 1 FROM distributed_locks AS d
    LEFT JOIN bidlock_lease AS l ON l.lock_key = d.lock_key AND d.holder_id = 'bl1:' || l.nonce
    WHERE (l.mode IS NULL OR l.mode IN ('sqlite', 'dual', 'legacy'))
        AND (d.expires_at > ? OR typeof(d.expires_at) NOT IN ('real', 'integer'))
);

-- name: synced
-- arguments: epoch
-- returns: the buckets whose copy into this store was completed under it
SELECT bucket FROM bidlock_synced WHERE epoch = ?;

-- name: stamp_bucket
-- arguments: bucket, epoch
-- returns: nothing
INSERT INTO bidlock_synced (bucket, epoch) VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET epoch = excluded.epoch;

-- name: stamp_store
-- arguments: counter and watermark of the other store, epoch
-- returns: nothing
UPDATE bidlock_meta SET ctr = max(ctr, ?), watermark_ms = max(watermark_ms, ?), epoch = ? WHERE id = 1;

-- name: markers_after
-- arguments: key of the last marker read, how many
-- returns: the next markers in the order of their keys
SELECT key, nonce, token, state, posted_at_ms FROM bidlock_marker WHERE key > ? ORDER BY key LIMIT ?;

-- name: add_marker
-- arguments: key, nonce, token, state, posted_at_ms
-- returns: nothing; a marker that is there stays as it is
INSERT INTO bidlock_marker (key, nonce, token, state, posted_at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING;

-- name: constitute
-- arguments: owner, buckets, epoch, modes, watermark, ttl_max_ms, margin_ms, now
-- returns: nothing; domain, counter and markers stay, and leases of the old length may: the longest TTL is never lowered
UPDATE bidlock_meta
SET owner = ?, buckets = ?, epoch = ?, modes = ?, watermark_ms = max(watermark_ms, ?), ttl_max_ms = max(ttl_max_ms, ?), margin_ms = ?, closed_at = ?
WHERE id = 1;

-- name: forget_copies
-- arguments: none
-- returns: nothing
DELETE FROM bidlock_synced;
