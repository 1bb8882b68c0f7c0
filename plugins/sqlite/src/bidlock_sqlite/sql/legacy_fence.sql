-- The trigger fence: makes original bots, whose code stays as it is, obey windows, markers and the watermark.
-- What it refuses, an original bot sees as sqlite3.IntegrityError, as when it finds the posting locked.
-- Our own rows (holder_id 'bl1:...') pass untouched.
--
-- From lock_key 'bid:lock:<marketplace>:<posting>' to the marker's key. The raw ids are joined there and escaped here:
--   * every colon may be the one that joins, so a lock_key with n colons stands for n keys, and all of them are guarded
--     (in each, the colons of the marketplace are %3A);
--   * ids with blanks, control characters, %, { or }, and very long ones, have keys that no SQL can derive: refused.
-- The triggers come twice, for INSERT and for UPDATE: {name} and {event} are filled in.

-- name: positions
-- arguments: none
-- returns: nothing; a table of the places where the joining colon can stand
CREATE TABLE IF NOT EXISTS bidlock_position (n INTEGER PRIMARY KEY);

-- name: fill_positions
-- arguments: none
-- returns: nothing; 1 to 200, the longest key
WITH RECURSIVE counting(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 200)
INSERT OR IGNORE INTO bidlock_position (n) SELECT n FROM counting;

-- name: keys
-- arguments: none
-- returns: nothing; a view of the keys that each row of the original table may stand for
CREATE VIEW IF NOT EXISTS bidlock_original AS
SELECT d.lock_key, d.holder_id, replace(substr(d.lock_key, 10, p.n - 1), ':', '%3A') || substr(d.lock_key, 9 + p.n) AS key
FROM distributed_locks AS d JOIN bidlock_position AS p
WHERE d.lock_key GLOB 'bid:lock:?*:?*' AND p.n > 1 AND p.n < length(d.lock_key) - 9 AND substr(d.lock_key, 9 + p.n, 1) = ':';

-- name: adoption
-- arguments: none
-- returns: nothing; a table with the watermark of the adoption, at most one row
CREATE TABLE IF NOT EXISTS bidlock_adoption (id INTEGER PRIMARY KEY CHECK (id = 1), watermark_ms INTEGER NOT NULL);

-- name: adopt
-- arguments: watermark, Unix milliseconds
-- returns: nothing
INSERT OR REPLACE INTO bidlock_adoption (id, watermark_ms) VALUES (1, ?);

-- name: refuse
-- arguments: none
-- returns: nothing; a trigger. The watermark of the adoption itself binds new bots only: what is older, they leave to original ones.
CREATE TRIGGER IF NOT EXISTS bidlock_fence_before_{name} BEFORE {event} ON distributed_locks
WHEN substr(NEW.holder_id, 1, 4) IS NOT 'bl1:'
BEGIN
    SELECT RAISE(ABORT, 'bidlock: original bots are not admitted now')
    WHERE NOT EXISTS (SELECT 1 FROM bidlock_meta WHERE id = 1 AND instr(modes, ',legacy,') > 0);
    SELECT RAISE(ABORT, 'bidlock: a watermark is set, and original bots do not tell how old a posting is')
    WHERE EXISTS (
        SELECT 1 FROM bidlock_meta WHERE id = 1 AND watermark_ms > coalesce((SELECT watermark_ms FROM bidlock_adoption WHERE id = 1), 0)
    );
    SELECT RAISE(ABORT, 'bidlock: ids with blanks, control characters, %, { or }, or very long ones, are not for original bots')
    WHERE NEW.lock_key GLOB '*[' || char(1) || '-' || ' %{}' || char(127) || ']*'
        OR instr(CAST(NEW.lock_key AS BLOB), x'00') > 0
        OR length(CAST(replace(NEW.lock_key, ':', '%3A') AS BLOB)) > 200;
    SELECT RAISE(ABORT, 'bidlock: the posting was bid on')
    WHERE EXISTS (
        SELECT 1 FROM bidlock_position AS p
        JOIN bidlock_marker AS m
            ON m.key = replace(substr(NEW.lock_key, 10, p.n - 1), ':', '%3A') || substr(NEW.lock_key, 9 + p.n)
        WHERE NEW.lock_key GLOB 'bid:lock:?*:?*' AND p.n > 1 AND p.n < length(NEW.lock_key) - 9 AND substr(NEW.lock_key, 9 + p.n, 1) = ':'
    );
END;

-- name: presume
-- arguments: none
-- returns: nothing; a trigger. An original bot bids under its lock and tells nobody: presume that it did.
CREATE TRIGGER IF NOT EXISTS bidlock_fence_after_{name} AFTER {event} ON distributed_locks
WHEN substr(NEW.holder_id, 1, 4) IS NOT 'bl1:'
BEGIN
    INSERT INTO bidlock_marker (key, nonce, token, state, posted_at_ms)
    SELECT o.key, randomblob(16), 0, 'presumed', 0 FROM bidlock_original AS o
    WHERE o.lock_key = NEW.lock_key AND NOT EXISTS (SELECT 1 FROM bidlock_marker AS m WHERE m.key = o.key);
    UPDATE bidlock_meta SET ctr = ctr + 1 WHERE id = 1;
END;

-- name: original_locks
-- arguments: none
-- returns: the lock_key of every lock of an original bot, expired or not
SELECT lock_key FROM distributed_locks WHERE substr(holder_id, 1, 4) IS NOT 'bl1:';

-- name: presume_one
-- arguments: key
-- returns: nothing; a marker that is there stays as it is
INSERT INTO bidlock_marker (key, nonce, token, state, posted_at_ms) VALUES (?, randomblob(16), 0, 'presumed', 0) ON CONFLICT (key) DO NOTHING;

-- name: remove_before
-- arguments: none
-- returns: nothing
DROP TRIGGER IF EXISTS bidlock_fence_before_{name};

-- name: remove_after
-- arguments: none
-- returns: nothing
DROP TRIGGER IF EXISTS bidlock_fence_after_{name};
