-- name: has_table
-- arguments: name of a table
-- returns: one row if it exists
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?;

-- name: now
-- arguments: none
-- returns: the machine's clock, Unix seconds, whatever the program around SQLite did to its own
SELECT (julianday('now') - 2440587.5) * 86400.0;

-- name: meta
-- arguments: none
-- returns: one row, or none in a store that nobody opened
SELECT domain_id, owner, format, buckets, hash, epoch, modes, ctr, watermark_ms, ttl_max_ms, margin_ms, incarnation
FROM bidlock_meta WHERE id = 1;

-- name: write_meta
-- arguments: domain_id, owner, format, buckets, hash, modes, ttl_max_ms, margin_ms
-- returns: nothing
INSERT INTO bidlock_meta (
    id, domain_id, owner, format, buckets, hash, epoch, modes, ctr, watermark_ms, ttl_max_ms, margin_ms, incarnation, closed_at
) VALUES (1, ?, ?, ?, ?, ?, 0, ?, 0, 0, ?, ?, 0, 0);

-- name: has_rows
-- arguments: none
-- returns: 1 if a table of bidlock holds anything, else 0
SELECT EXISTS (SELECT 1 FROM bidlock_lease) OR EXISTS (SELECT 1 FROM bidlock_marker)
    OR EXISTS (SELECT 1 FROM bidlock_synced) OR EXISTS (SELECT 1 FROM bidlock_audit);

-- name: raise_counter
-- arguments: the highest token handed out
-- returns: nothing
UPDATE bidlock_meta SET ctr = ? WHERE id = 1;

-- name: state
-- arguments: key, key, lock_key
-- returns: exactly one row: the marker's nonce; the lease's nonce, token and holder; the original table's holder_id,
--          acquired_at and expires_at. NULL where there is no row.
SELECT m.nonce, l.nonce, l.token, l.holder, d.holder_id, d.acquired_at, d.expires_at
FROM (SELECT 1)
LEFT JOIN bidlock_marker AS m ON m.key = ?
LEFT JOIN bidlock_lease AS l ON l.key = ?
LEFT JOIN distributed_locks AS d ON d.lock_key = ?;

-- name: lock
-- arguments: lock_key, holder_id, acquired_at, expires_at, created_at
-- returns: nothing; a row that is there (expired, the attempt's own, or passed on) changes hands
INSERT INTO distributed_locks (id, lock_key, holder_id, acquired_at, expires_at, created_at)
VALUES (lower(hex(randomblob(16))), ?, ?, ?, ?, ?)
ON CONFLICT (lock_key) DO UPDATE
SET holder_id = excluded.holder_id, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at, created_at = excluded.created_at;

-- name: lease
-- arguments: key, nonce, mode, token, holder, lock_key
-- returns: nothing
INSERT OR REPLACE INTO bidlock_lease (key, nonce, mode, token, holder, lock_key) VALUES (?, ?, ?, ?, ?, ?);

-- name: extend
-- arguments: expires_at, lock_key
-- returns: nothing
UPDATE distributed_locks SET expires_at = ? WHERE lock_key = ?;

-- name: unlock
-- arguments: lock_key
-- returns: nothing
DELETE FROM distributed_locks WHERE lock_key = ?;

-- name: unlease
-- arguments: key
-- returns: nothing
DELETE FROM bidlock_lease WHERE key = ?;

-- name: marker
-- arguments: key
-- returns: the marker, if there is one
SELECT nonce, token, state, posted_at_ms FROM bidlock_marker WHERE key = ?;

-- name: mark
-- arguments: key, nonce, token, state, posted_at_ms
-- returns: nothing
INSERT INTO bidlock_marker (key, nonce, token, state, posted_at_ms) VALUES (?, ?, ?, ?, ?);

-- name: record
-- arguments: state, key
-- returns: nothing
UPDATE bidlock_marker SET state = ? WHERE key = ?;

-- name: audit
-- arguments: at, key, holder, token, broken_by, reason
-- returns: nothing
INSERT INTO bidlock_audit (at, key, holder, token, broken_by, reason) VALUES (?, ?, ?, ?, ?, ?);

-- name: purge_locks
-- arguments: now
-- returns: nothing; deletes our rows that expired and were never released (the original bot's are its own business)
DELETE FROM distributed_locks WHERE expires_at < ? AND holder_id LIKE 'bl1:%';

-- name: purge_leases
-- arguments: none
-- returns: nothing; deletes what belongs to no row of the original table any more
DELETE FROM bidlock_lease
WHERE NOT EXISTS (
    SELECT 1 FROM distributed_locks AS d WHERE d.lock_key = bidlock_lease.lock_key AND d.holder_id = 'bl1:' || bidlock_lease.nonce
);
