"""What the original bot does, on Redis and on SQLite: no library, one statement after the other."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import time
import uuid
from pathlib import Path

import redis.asyncio

from bidlock_bench.contenders.crowd import Awaited
from bidlock_bench.contenders.peers import TASK_CONNECTIONS, TTL_SECONDS

_FIRST_DELAY, _GROWTH, _LONGEST_DELAY = 0.05, 1.5, 1.0
_POLL_SECONDS = 0.1
_TIMEOUT_SECONDS = 10.0
_TABLE = """
CREATE TABLE IF NOT EXISTS distributed_locks (
  id TEXT PRIMARY KEY, lock_key TEXT UNIQUE NOT NULL, holder_id TEXT NOT NULL,
  acquired_at FLOAT, expires_at FLOAT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP)
"""
_INSERT = "INSERT INTO distributed_locks (id, lock_key, holder_id, acquired_at, expires_at) VALUES (?, ?, ?, ?, ?)"


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class OriginalOnRedis(Awaited):
    """SET NX EX; waiters come back after 50 ms × 1.5 up to 1 s and give up after 10 s; GET, compare, DEL to release.

    Without jitter its waiters come back all at once, and few of a hundred get the lock before they give up.
    """

    def __init__(self, url: str, prefix: str) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=TASK_CONNECTIONS, timeout=None, decode_responses=True)
        self._client = redis.asyncio.Redis(connection_pool=pool)
        self._prefix = prefix

    async def open(self) -> None:
        """Connect."""
        await self._client.ping()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def acquire(self, key: str, *, wait: bool) -> tuple[str, str] | None:
        """Acquire `key`; None when its holder outlasts the timeout."""
        name, holder, delay = f"{self._prefix}:bid_lock:{key}", _holder(), _FIRST_DELAY
        until = time.monotonic() + _TIMEOUT_SECONDS
        while not await self._client.set(name, holder, nx=True, ex=TTL_SECONDS):
            if not wait:
                raise RuntimeError(f"{key} is held by somebody")
            if time.monotonic() >= until:
                return None
            delay = min(delay * _GROWTH, _LONGEST_DELAY)
            await asyncio.sleep(delay)
        return name, holder

    async def release(self, handle: tuple[str, str] | None) -> None:
        """Release it, if it was acquired."""
        if handle is None:
            return
        name, holder = handle
        if await self._client.get(name) == holder:
            await self._client.delete(name)


class OriginalOnSqlite(Awaited):
    """Delete what expired, commit, insert, commit; waiters poll every 100 ms; a session per attempt, on the event loop.

    The original goes through an object mapper, which costs more; this is its SQL alone, over the driver, with the
    driver's own defaults (rollback journal, `synchronous=FULL`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self) -> None:
        """Create the table."""
        with sqlite3.connect(self._path) as connection:
            connection.execute(_TABLE)
        connection.close()

    async def close(self) -> None:
        """Nothing stays open."""

    async def acquire(self, key: str, *, wait: bool) -> tuple[str, str]:
        """Acquire `key`."""
        name, holder = f"bid:lock:{key}", _holder()
        while not self._try(name, holder):
            if not wait:
                raise RuntimeError(f"{key} is held by somebody")
            await asyncio.sleep(_POLL_SECONDS)
        return name, holder

    async def release(self, handle: tuple[str, str]) -> None:
        """Release it."""
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("DELETE FROM distributed_locks WHERE lock_key = ? AND holder_id = ?", handle)
            connection.commit()
        finally:
            connection.close()

    def _try(self, name: str, holder: str) -> bool:
        now = time.time()
        connection = sqlite3.connect(self._path)
        try:
            expired = connection.execute("SELECT id FROM distributed_locks WHERE expires_at < ?", (now,)).fetchall()
            connection.executemany("DELETE FROM distributed_locks WHERE id = ?", expired)
            connection.commit()
            connection.execute(_INSERT, (uuid.uuid4().hex, name, holder, now, now + TTL_SECONDS))
            connection.commit()
        except sqlite3.IntegrityError:
            connection.rollback()
            return False
        finally:
            connection.close()
        return True
