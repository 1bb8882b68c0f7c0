"""The seed's way to guard a bid, as a bidder process: `python -m bidlock_demo.seed_way`.

Its algorithm is the one that many bots run: Redis (`SET NX EX 300`) if it answers when the process starts, else a table in
SQLite; take the lock, bid, release the lock. Wherever it can be read in two ways, the kinder one is taken: all processes share
one SQLite file, a bidder that finds a posting locked gives it up at once (waiting would let it bid after the release), and a
bidder takes up each posting once, also when the feed repeats it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import aiohttp
import redis.asyncio as redis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

import bidlock
from example_bidder import feed, pricing, telemetry
from example_bidder.feed import Job
from example_bidder.marketplace import Marketplace

log = structlog.get_logger()

TTL = 300
"""Seconds until a lock expires."""

PATIENCE = 10.0
"""Seconds for which a store that does not answer is tried again."""

TABLE = """
CREATE TABLE IF NOT EXISTS distributed_locks (
  id TEXT PRIMARY KEY, lock_key TEXT UNIQUE NOT NULL, holder_id TEXT NOT NULL, acquired_at FLOAT, expires_at FLOAT, created_at DATETIME)
"""


class Manager(Protocol):
    """What both lock managers offer."""

    name: str

    async def acquire_lock(self, marketplace_id: str, posting_id: str) -> bool:
        """Take the lock, or say that somebody else has it."""

    async def release_lock(self, marketplace_id: str, posting_id: str) -> None:
        """Give the lock back, if it is ours."""


class RedisBidLockManager:
    """One key per posting, which expires by itself."""

    name = "redis"

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._holder = _holder()

    @classmethod
    async def connect(cls, url: str) -> RedisBidLockManager:
        """Raises ConnectionError when Redis does not answer now."""
        client = redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=1.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
        )
        await client.ping()
        return cls(client)

    async def acquire_lock(self, marketplace_id: str, posting_id: str) -> bool:
        """`SET NX EX`, again and again while Redis does not answer."""
        until, pause = time.monotonic() + PATIENCE, 0.05
        while time.monotonic() < until:
            try:
                return bool(await self._redis.set(f"bid_lock:{marketplace_id}:{posting_id}", self._holder, nx=True, ex=TTL))
            except (redis.ConnectionError, redis.TimeoutError):
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 1.0)
        return False

    async def release_lock(self, marketplace_id: str, posting_id: str) -> None:
        """GET, compare, DEL."""
        key = f"bid_lock:{marketplace_id}:{posting_id}"
        with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
            if await self._redis.get(key) == self._holder:
                await self._redis.delete(key)


class BidLockManager:
    """One row per posting; whoever comes deletes the expired ones."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, timeout=PATIENCE)
        self._holder = _holder()
        with self._database:
            self._database.execute(TABLE)

    async def acquire_lock(self, marketplace_id: str, posting_id: str) -> bool:
        """Insert the row; the unique key refuses the second one."""
        now = time.time()
        row = (str(uuid.uuid4()), f"bid:lock:{marketplace_id}:{posting_id}", self._holder, now, now + TTL)
        try:
            with self._database:
                self._database.execute("DELETE FROM distributed_locks WHERE expires_at < ?", (now,))
                self._database.execute("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, CURRENT_TIMESTAMP)", row)
        except sqlite3.IntegrityError:
            return False
        return True

    async def release_lock(self, marketplace_id: str, posting_id: str) -> None:
        """Delete the row."""
        key = f"bid:lock:{marketplace_id}:{posting_id}"
        with self._database:
            self._database.execute("DELETE FROM distributed_locks WHERE lock_key = ? AND holder_id = ?", (key, self._holder))


async def choose(redis_url: str, database: Path) -> Manager:
    """Try Redis first, fall back to SQLite if it is unavailable: each process for itself, once."""
    try:
        return await RedisBidLockManager.connect(redis_url)
    except (redis.ConnectionError, redis.TimeoutError):
        return BidLockManager(database)


async def bid(manager: Manager, marketplace: Marketplace, job: Job) -> str:
    """Lock, bid, release; returns what became of it."""
    amount = pricing.amount(job)
    if amount is None:
        return "passed over"
    if not await manager.acquire_lock(job.marketplace, job.id):
        return "locked"
    try:
        await marketplace.place(job, amount, token=0)
    except bidlock.BidRejected:
        return "rejected"
    except (aiohttp.ClientError, TimeoutError):
        return "unknown"
    finally:
        await manager.release_lock(job.marketplace, job.id)
    return "placed"


async def run(options: argparse.Namespace) -> None:
    """Work through the feed, a few postings at a time."""
    manager = await choose(options.redis, options.database)
    name = f"{manager.name}:{options.name}"
    log.info("started", name=name, store=manager.name)
    jobs = iter({(job.marketplace, job.id): job async for job in feed.read(options.feed) if isinstance(job, Job)}.values())
    async with Marketplace(options.marketplace, name, options.bid_timeout) as marketplace:
        await asyncio.gather(*(_work(manager, marketplace, jobs) for _ in range(options.concurrency)))


async def _work(manager: Manager, marketplace: Marketplace, jobs: Iterator[Job]) -> None:
    for job in jobs:
        log.info("bid", result=await bid(manager, marketplace, job), marketplace=job.marketplace, id=job.id)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def main() -> int:
    """Entry point; started by the demo only."""
    parser = argparse.ArgumentParser(prog="bidlock_demo.seed_way")
    for name, kind in (("feed", Path), ("marketplace", str), ("redis", str), ("database", Path), ("name", str)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--bid-timeout", type=float, default=2.0)
    telemetry.configure_logs("info")
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
