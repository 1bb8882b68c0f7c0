"""bidlock, through its front door and nothing else."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import bidlock
from bidlock_bench.contenders.crowd import Awaited, fresh_key

MARKETPLACE = "bench"
WAIT_SECONDS = 60.0


class Product(Awaited):
    """bidlock over whatever store the URL names."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Connect."""
        self._locks = await self._stack.enter_async_context(bidlock.connect(self._url, environment={}, prefix=self._prefix))

    async def close(self) -> None:
        """Disconnect."""
        await self._stack.aclose()

    async def acquire(self, key: str, *, wait: bool) -> Any:
        """Acquire `key`."""
        if wait:
            stack = AsyncExitStack()
            await stack.enter_async_context(self._locks.hold(MARKETPLACE, key, timeout=WAIT_SECONDS))
            return stack
        lease = await self._locks.try_hold(MARKETPLACE, key)
        if lease is None:
            raise RuntimeError(f"{key} is held by somebody")
        return lease

    async def release(self, handle: Any) -> None:
        """Release it."""
        await (handle.aclose() if isinstance(handle, AsyncExitStack) else handle.release())

    async def bid_together(self, callers: int) -> float:
        """Seconds until `callers` callers of `bid_once` for one posting have their answer.

        Raises:
            RuntimeError: not exactly one of them placed a bid.
        """
        key = fresh_key()
        start = time.perf_counter()
        outcomes = await asyncio.gather(*(self._locks.bid_once(MARKETPLACE, key, _place) for _ in range(callers)))
        seconds = time.perf_counter() - start
        placed = sum(isinstance(outcome, bidlock.Placed) for outcome in outcomes)
        if placed != 1:
            raise RuntimeError(f"{placed} bids were placed instead of one")
        return seconds

    async def bid_on(self, postings: int) -> None:
        """Bid on that many postings, so that the store keeps a marker of each."""
        for start in range(0, postings, 100):
            keys = [fresh_key() for _ in range(min(100, postings - start))]
            await asyncio.gather(*(self._locks.bid_once(MARKETPLACE, key, _place) for key in keys))


async def _place(_: Any) -> None:
    """A marketplace that answers at once."""
