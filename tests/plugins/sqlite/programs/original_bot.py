"""The original bot's way of locking, in plain SQL: delete what expired, insert, and let UNIQUE decide."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
import uuid
from pathlib import Path

TABLE = """CREATE TABLE IF NOT EXISTS distributed_locks (
    id VARCHAR NOT NULL, lock_key VARCHAR NOT NULL, holder_id VARCHAR NOT NULL,
    acquired_at FLOAT, expires_at FLOAT, created_at DATETIME, PRIMARY KEY (id), UNIQUE (lock_key))"""


def session(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)


def create(path: str) -> None:
    with session(path) as connection:
        connection.execute(TABLE)
    connection.close()


def take(path: str, marketplace: str, posting: str, holder: str, ttl: float = 300.0) -> bool:
    connection = session(path)
    try:
        with connection:
            expired = connection.execute("SELECT id FROM distributed_locks WHERE expires_at < ?", (time.time(),)).fetchall()
            for row in expired:
                connection.execute("DELETE FROM distributed_locks WHERE id = ?", row)
        with connection:
            connection.execute(
                "INSERT INTO distributed_locks (id, lock_key, holder_id, acquired_at, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    str(uuid.uuid4()),
                    f"bid:lock:{marketplace}:{posting}",
                    holder,
                    time.time(),
                    time.time() + ttl,
                    "2026-01-01 00:00:00.000000",
                ),
            )
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()
    return True


def give_back(path: str, marketplace: str, posting: str, holder: str) -> bool:
    connection = session(path)
    with connection:
        key = f"bid:lock:{marketplace}:{posting}"
        deleted = connection.execute("DELETE FROM distributed_locks WHERE lock_key = ? AND holder_id = ?", (key, holder)).rowcount
    connection.close()
    return deleted == 1


def work(path: str, flag: str, rounds: int) -> None:
    """Hold the lock `rounds` times; die when somebody else is inside, too."""
    holder = f"host:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    while rounds:
        if take(path, "upwork", "~contended", holder):
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
            Path(flag).unlink()
            assert give_back(path, "upwork", "~contended", holder)
            rounds -= 1
        time.sleep(0.002)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
