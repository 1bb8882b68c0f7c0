"""An original bot: it knows one table of one file, and nothing of modes, markers, or Redis. Its own SQL, one connection per step.

It lives behind the trigger fence, which the controller builds; whatever stands in its way looks to it like a posting that is locked.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from bidlock_soak.feed import MARKETPLACE, Feed
from bidlock_soak.journal import Journal

TTL = 0.6
"""Seconds; as everybody's."""

IDLE = 0.05
"""Seconds between two postings."""


class Original:
    """One bot."""

    def __init__(self, path: Path, journal: Journal, name: str) -> None:
        self._path = path
        self._journal = journal
        self._name = name
        self._attempts = 0

    def bid(self, number: int) -> None:
        """Lock, bid, unlock, as the original does."""
        self._attempts += 1
        posting, attempt = f"{MARKETPLACE}:{number}", self._attempts
        self._journal.note("try", attempt=attempt, posting=posting, bids=True, at=time.monotonic())
        before = time.monotonic()
        if not self._lock(posting):
            self._journal.note("done", attempt=attempt, outcome="original bot refused")
            return
        self._journal.note("locked", attempt=attempt)
        self._journal.note("believes", attempt=attempt, deadline=before + TTL, at=time.monotonic())
        facts = {"token": 0, "nonce": self._name, "mode": "legacy"}
        self._journal.note("bid", sure=True, attempt=attempt, posting=posting, at=time.monotonic(), **facts)
        self._journal.note("believed", attempt=attempt, at=min(time.monotonic(), before + TTL))
        self._unlock(posting)
        self._journal.note("done", attempt=attempt, outcome="placed")

    def _lock(self, posting: str) -> bool:
        now = time.time()
        row = (os.urandom(16).hex(), f"bid:lock:{posting}", self._name, now, now + TTL)
        try:
            with self._connected() as connection:
                connection.execute("DELETE FROM distributed_locks WHERE expires_at < ?", (now,))
                connection.execute("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, NULL)", row)
        except (sqlite3.IntegrityError, sqlite3.OperationalError):
            return False
        return True

    def _unlock(self, posting: str) -> None:
        with contextlib.suppress(sqlite3.OperationalError), self._connected() as connection:
            connection.execute("DELETE FROM distributed_locks WHERE lock_key = ? AND holder_id = ?", (f"bid:lock:{posting}", self._name))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the file, if it is there."""
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=rw", uri=True, timeout=1.0)) as connection, connection:
            yield connection


def main() -> None:
    """From the command line to the loop; SIGTERM ends it after the posting at hand."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--fenced", type=Path, required=True, help="there once the fence is")
    parser.add_argument("--begun", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--head-start", type=int, default=0)
    parser.add_argument("--wall", type=float, default=0.0)
    arguments = parser.parse_args()
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    feed, rng = Feed(arguments.begun, arguments.rate, arguments.head_start, arguments.wall), random.Random(arguments.seed)
    bot = Original(arguments.path, Journal(arguments.journal), f"host:{os.getpid()}:{os.urandom(4).hex()}")
    while not stopped and not arguments.fenced.exists():
        time.sleep(IDLE)
    while not stopped:
        fresh = rng.random() < 0.8
        released = feed.released()
        bot.bid(max(0, released - rng.randrange(1, 4)) if fresh else rng.randrange(released or 1))
        time.sleep(IDLE)


if __name__ == "__main__":
    main()
