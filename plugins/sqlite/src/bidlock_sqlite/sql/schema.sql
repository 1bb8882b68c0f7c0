-- The tables of a store. Run inside the transaction that writes the meta; what is there already stays as it is.
-- arguments: none
-- returns: nothing

-- The original bot's own table. Its code reads and writes it unchanged; our rows have holder_id 'bl1:<nonce>'.
CREATE TABLE IF NOT EXISTS distributed_locks (
    id TEXT PRIMARY KEY,
    lock_key TEXT UNIQUE NOT NULL,
    holder_id TEXT NOT NULL,
    acquired_at FLOAT,
    expires_at FLOAT,
    created_at DATETIME
);

-- What the original table has no room for. A row counts only together with its live row over there.
CREATE TABLE IF NOT EXISTS bidlock_lease (
    key TEXT PRIMARY KEY,
    nonce TEXT NOT NULL,
    mode TEXT NOT NULL,
    token INTEGER NOT NULL,
    holder TEXT NOT NULL,
    lock_key TEXT NOT NULL
) WITHOUT ROWID;

-- Postings that were claimed, for good. nonce: 16 bytes for 32 hexadecimal digits, else the text itself.
CREATE TABLE IF NOT EXISTS bidlock_marker (
    key TEXT PRIMARY KEY,
    nonce BLOB NOT NULL,
    token INTEGER NOT NULL,
    state TEXT NOT NULL,
    posted_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Whose store this is, what it admits, and the counter that tokens come from.
CREATE TABLE IF NOT EXISTS bidlock_meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    domain_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    format INTEGER NOT NULL,
    buckets INTEGER NOT NULL,
    hash TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    modes TEXT NOT NULL,
    ctr INTEGER NOT NULL,
    watermark_ms INTEGER NOT NULL,
    ttl_max_ms INTEGER NOT NULL,
    margin_ms INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    closed_at REAL NOT NULL
);

-- Up to which epoch each bucket was copied from the other store of a migration.
CREATE TABLE IF NOT EXISTS bidlock_synced (
    bucket INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL
);

-- Leases that humans released by force.
CREATE TABLE IF NOT EXISTS bidlock_audit (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    key TEXT NOT NULL,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL,
    broken_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
