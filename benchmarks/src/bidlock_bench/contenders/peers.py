"""Lock libraries that people use with Redis today, each set up as its authors advise, and generously."""

from __future__ import annotations

import logging

import redis
import redis.asyncio
import redis.asyncio.lock
import redis_lock  # type: ignore[import-untyped]  # it ships no types

from bidlock_bench.contenders.crowd import Awaited, Blocking

TTL_SECONDS = 300
TASK_CONNECTIONS = 50
THREAD_CONNECTIONS = 100
"""Of the pools: what was fastest for a crowd of 1000 among 10, 50, 100 and 1000."""


class RedisPyLock(Awaited):
    """`redis.asyncio.lock.Lock`: SET NX PX, compare-and-delete by script, waiters poll every 100 ms."""

    def __init__(self, url: str, prefix: str) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=TASK_CONNECTIONS, timeout=None)
        self._client = redis.asyncio.Redis(connection_pool=pool)
        self._prefix = prefix

    async def open(self) -> None:
        """Connect."""
        await self._client.ping()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def acquire(self, key: str, *, wait: bool) -> redis.asyncio.lock.Lock:
        """Acquire `key`."""
        lock = self._client.lock(f"{self._prefix}:{key}", timeout=TTL_SECONDS)
        if not await lock.acquire(blocking=wait):
            raise RuntimeError(f"{key} is held by somebody")
        return lock

    async def release(self, handle: redis.asyncio.lock.Lock) -> None:
        """Release it."""
        await handle.release()


class PythonRedisLock(Blocking):
    """`python-redis-lock`: SET NX EX, compare-and-delete by script, waiters are woken through a list (BLPOP)."""

    def __init__(self, url: str, prefix: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(url, max_connections=THREAD_CONNECTIONS, timeout=None)
        self._client = redis.Redis(connection_pool=pool)
        self._prefix = prefix
        logging.getLogger("redis_lock").setLevel(logging.ERROR)

    async def open(self) -> None:
        """Connect."""
        self._client.ping()

    async def close(self) -> None:
        """Disconnect."""
        self._client.close()
        self._client.connection_pool.disconnect()

    def acquire(self, key: str, *, wait: bool) -> redis_lock.Lock:
        """Acquire `key`."""
        lock = redis_lock.Lock(self._client, f"{self._prefix}:{key}", expire=TTL_SECONDS)
        if not lock.acquire(blocking=wait):
            raise RuntimeError(f"{key} is held by somebody")
        return lock

    def release(self, handle: redis_lock.Lock) -> None:
        """Release it."""
        handle.release()
