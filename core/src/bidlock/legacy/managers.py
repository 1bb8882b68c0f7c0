"""The two managers: one implementation, two ways to choose a store."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bidlock.connecting import connect
from bidlock.legacy import choosing
from bidlock.legacy.metrics import COUNTERS, STORE_ERRORS, Metrics
from bidlock.legacy.sessions import Session
from bidlock.postings import posting


class _Manager:
    """The original interface over `bidlock`. Connects on first use, once per event loop.

    A lock taken and released here may be taken again: it is the bare lock. In a managed fleet (`BIDLOCK_POLICY`) it may
    not, since nobody would know whether its holder bid.

    Attributes:
        ttl: How long a lock lives, seconds; may be set at any time and counts from the next `acquire_lock`.
        holder_id: Who takes locks when a call names nobody: `host:pid:8hex`.
    """

    def __init__(self, ttl: float, choice: choosing.Choice, counters: tuple[str, ...]) -> None:
        self.ttl = ttl
        self.holder_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._choice = choice
        self._metrics = Metrics(counters)
        self._sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Session] = weakref.WeakKeyDictionary()

    async def acquire_lock(self, marketplace_id: str, posting_id: str, timeout: float = 10.0, holder_id: str | None = None) -> bool:
        """Take the lock of a posting for `ttl` seconds.

        Args:
            marketplace_id: The marketplace's name.
            posting_id: The posting's id.
            timeout: How long to wait while another holds it, seconds.
            holder_id: Who takes it; this manager's own id when None.

        Returns:
            Whether it was taken; False after the timeout, when the posting was bid on before, or when the store did
            not answer.

        Raises:
            ValueError: an id is empty.
            ConfigurationError: the store cannot be used at all; says what to do.
        """
        if not marketplace_id or not posting_id:
            raise ValueError("marketplace_id and posting_id must not be empty")
        what = posting(str(marketplace_id), str(posting_id))
        self._metrics.count("lock_attempts")
        return await self._session().take(what, ttl=self.ttl, timeout=timeout, holder_id=holder_id or self.holder_id)

    async def release_lock(self, marketplace_id: str, posting_id: str, holder_id: str | None = None) -> bool:
        """Give a lock back.

        Returns:
            Whether it was held, by this holder, and is free now.
        """
        if not marketplace_id or not posting_id:
            return False
        return await self._session().give_back(posting(str(marketplace_id), str(posting_id)).key, holder_id or self.holder_id)

    @asynccontextmanager
    async def with_lock(
        self, marketplace_id: str, posting_id: str, timeout: float = 10.0, holder_id: str | None = None
    ) -> AsyncIterator[bool]:
        """Hold the lock around a block.

        Raises:
            TimeoutError: it was not to be had within `timeout` seconds.
        """
        if not await self.acquire_lock(marketplace_id, posting_id, timeout, holder_id):
            raise TimeoutError(f"the lock of {marketplace_id}:{posting_id} was not acquired within {timeout:g} s")
        try:
            yield True
        finally:
            await self.release_lock(marketplace_id, posting_id, holder_id)

    def get_metrics(self) -> dict[str, int]:
        """The counters: attempts, successes, conflicts, timeouts (and store errors)."""
        return self._metrics.snapshot()

    async def cleanup_all(self) -> None:
        """Give back every lock this manager holds; those of others are none of its business. Expired ones vanish by themselves."""
        await self._session().give_all_back()

    async def health_check(self) -> bool:
        """Whether the store answers and takes locks."""
        return await self._session().healthy()

    async def close(self) -> None:
        """Give the connection up. Locks still held live on until their TTL ends. The next call connects again."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _session(self) -> Session:
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            locks = connect(self._choice.url, holder=self.holder_id, **self._choice.settings)
            self._sessions[loop] = Session(locks, self._metrics)
        return self._sessions[loop]


class BidLockManager(_Manager):
    """The original's SQLite manager: the store is `BIDLOCK_URL`, else the file `data/tasks.db`."""

    def __init__(self, ttl: float = 300) -> None:
        """Nothing is opened yet.

        Args:
            ttl: How long a lock lives, seconds.
        """
        super().__init__(ttl, choosing.sqlite(), COUNTERS)


class RedisBidLockManager(_Manager):
    """The original's Redis manager: the store is `redis_url`, else `REDIS_URL`, else the Redis of this machine.

    Original bots in the same Redis and this one exclude each other.
    """

    def __init__(self, redis_url: str | None = None, ttl: float = 300) -> None:
        """Nothing is connected yet.

        Args:
            redis_url: The server; None reads `REDIS_URL`.
            ttl: How long a lock lives, seconds.

        Raises:
            ConfigurationError: `redis_url` is given although the process belongs to a policy.
        """
        super().__init__(ttl, choosing.redis(redis_url), (*COUNTERS, STORE_ERRORS))
