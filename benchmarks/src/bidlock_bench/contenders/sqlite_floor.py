"""The raw floor on SQLite: bidlock's own statements in a bare loop, with no library around them.

Once in batches (what one writer can do when everybody's operations share a commit), once with a transaction per
operation (what every caller pays who commits for itself).
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from bidlock.backend import FORMAT, SELF
from bidlock.postings import HASH_NAME
from bidlock_bench.contenders.crowd import fresh_key
from bidlock_sqlite.statements import SCHEMA, SQL

_NONCE = "0" * 32
_META = ("bench", SELF, FORMAT, 1, HASH_NAME, "sqlite", 3_600_000, 5_000)


class _Floor:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = 0

    async def open(self) -> None:
        """Create the file."""
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._connection.execute(SQL["write_meta"], _META)

    async def close(self) -> None:
        """Close the file."""
        self._connection.close()

    async def rate(self, tasks: int, seconds: float) -> float:
        """Pairs per second, with `tasks` operations at hand at any time."""
        return await asyncio.to_thread(self._rate, tasks, seconds)

    def _rate(self, tasks: int, seconds: float) -> float:
        start, pairs = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            self._pairs([fresh_key() for _ in range(tasks)])
            pairs += tasks
        return pairs / (time.perf_counter() - start)

    def _pairs(self, keys: list[str]) -> None:
        raise NotImplementedError

    def _acquire(self, key: str) -> None:
        now, run = time.time(), self._connection.execute
        self._token += 1
        run(SQL["state"], (key, key, key)).fetchone()
        run(SQL["lock"], (key, _NONCE, now, now + 300, "2020-01-01"))
        run(SQL["lease"], (key, _NONCE, "sqlite", self._token, "bench", key))

    def _release(self, key: str) -> None:
        run = self._connection.execute
        run(SQL["state"], (key, key, key)).fetchone()
        run(SQL["unlock"], (key,))
        run(SQL["unlease"], (key,))

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(SQL["meta"]).fetchone()

    def _commit(self) -> None:
        self._connection.execute(SQL["raise_counter"], (self._token,))
        self._connection.execute("COMMIT")


class Batches(_Floor):
    """All callers' operations in one transaction."""

    def _pairs(self, keys: list[str]) -> None:
        for step in (self._acquire, self._release):
            self._begin()
            for key in keys:
                step(key)
            self._commit()


class OneByOne(_Floor):
    """A transaction for every operation."""

    def _pairs(self, keys: list[str]) -> None:
        for key in keys:
            for step in (self._acquire, self._release):
                self._begin()
                step(key)
                self._commit()
