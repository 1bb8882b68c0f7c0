"""What a crowd does with a lock, for locks that are awaited and for locks that block a thread.

A contender brings `acquire` and `release`; who calls them, how often and in which order is the same for everybody and
stands here.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any, Protocol, TypeVar, runtime_checkable

_NEVER_TWICE = count()


class Closable(Protocol):
    """What is opened before a row and closed after it."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""


Opened = TypeVar("Opened", bound=Closable)


class Throughput(Closable, Protocol):
    """What the throughput of can be measured."""

    async def rate(self, tasks: int, seconds: float) -> float:
        """Acquire+release pairs per second from `tasks` callers at once, each pair on a posting of its own."""


class Rated(Throughput, Protocol):
    """What the latency of can be measured, too."""

    async def latencies(self, seconds: float) -> list[float]:
        """Seconds of each pair of a single caller."""


@runtime_checkable
class Contender(Rated, Protocol):
    """A whole lock library."""

    async def queue(self, callers: int) -> float:
        """Seconds until `callers` callers, starting together, have held one and the same posting one after the other."""

    async def hold(self, keys: list[str]) -> Any:
        """Acquire all of these and keep them; returns what `give_up` takes."""

    async def give_up(self, held: Any) -> None:
        """Release what `hold` acquired."""

    async def take(self, key: str) -> Any:
        """Wait for this posting and acquire it; returns what `give_up` takes."""


@asynccontextmanager
async def opened(contender: Opened) -> AsyncIterator[Opened]:
    """Open a contender and close it afterwards."""
    try:
        await contender.open()
        yield contender
    finally:
        await contender.close()


def fresh_key() -> str:
    """A posting nobody had before, in this process or another of this run."""
    return f"job-{os.getpid():x}-{next(_NEVER_TWICE)}"


class Awaited:
    """A crowd of tasks on one event loop."""

    async def acquire(self, key: str, *, wait: bool) -> Any:
        """Acquire `key` and return its handle."""
        raise NotImplementedError

    async def release(self, handle: Any) -> None:
        """Release what `acquire` returned."""
        raise NotImplementedError

    async def rate(self, tasks: int, seconds: float) -> float:
        """See `Contender.rate`."""
        start = time.perf_counter()
        done = await asyncio.gather(*(self._pairs_until(start + seconds) for _ in range(tasks)))
        return sum(done) / (time.perf_counter() - start)

    async def latencies(self, seconds: float) -> list[float]:
        """See `Contender.latencies`."""
        measured: list[float] = []
        until = time.perf_counter() + seconds
        while (start := time.perf_counter()) < until or not measured:
            await self._pair(fresh_key())
            measured.append(time.perf_counter() - start)
        return measured

    async def queue(self, callers: int) -> float:
        """See `Contender.queue`."""
        key = fresh_key()
        start = time.perf_counter()
        await asyncio.gather(*(self._pair(key, wait=True) for _ in range(callers)))
        return time.perf_counter() - start

    async def hold(self, keys: list[str]) -> list[Any]:
        """See `Contender.hold`; a hundred at a time."""
        handles: list[Any] = []
        for start in range(0, len(keys), 100):
            handles += await asyncio.gather(*(self.acquire(key, wait=False) for key in keys[start : start + 100]))
        return handles

    async def give_up(self, held: list[Any]) -> None:
        """See `Contender.give_up`."""
        for start in range(0, len(held), 100):
            await asyncio.gather(*(self.release(handle) for handle in held[start : start + 100]))

    async def take(self, key: str) -> list[Any]:
        """See `Contender.take`."""
        return [await self.acquire(key, wait=True)]

    async def _pairs_until(self, until: float) -> int:
        pairs = 0
        while time.perf_counter() < until:
            await self._pair(fresh_key())
            pairs += 1
        return pairs

    async def _pair(self, key: str, *, wait: bool = False) -> None:
        await self.release(await self.acquire(key, wait=wait))


class Blocking:
    """A crowd of threads."""

    most_threads = 100
    """More callers than this share the threads; more threads are only slower in one interpreter."""

    def acquire(self, key: str, *, wait: bool) -> Any:
        """Acquire `key` and return its handle."""
        raise NotImplementedError

    def release(self, handle: Any) -> None:
        """Release what `acquire` returned."""
        raise NotImplementedError

    async def rate(self, tasks: int, seconds: float) -> float:
        """See `Contender.rate`."""
        threads = min(tasks, self.most_threads)
        async with _pool(threads) as pool:
            together = threading.Barrier(threads + 1)
            work = [asyncio.wrap_future(pool.submit(self._pairs_for, seconds, together)) for _ in range(threads)]
            await asyncio.to_thread(together.wait)
            start = time.perf_counter()
            done = await asyncio.gather(*work)
            return sum(done) / (time.perf_counter() - start)

    async def latencies(self, seconds: float) -> list[float]:
        """See `Contender.latencies`."""
        return await asyncio.to_thread(self._latencies, seconds)

    async def queue(self, callers: int) -> float:
        """See `Contender.queue`."""
        key = fresh_key()
        async with _pool(callers) as pool:
            together = threading.Barrier(callers + 1)
            work = [asyncio.wrap_future(pool.submit(self._pair_together, key, together)) for _ in range(callers)]
            await asyncio.to_thread(together.wait)
            start = time.perf_counter()
            await asyncio.gather(*work)
            return time.perf_counter() - start

    async def hold(self, keys: list[str]) -> list[Any]:
        """See `Contender.hold`."""
        return await asyncio.to_thread(lambda: [self.acquire(key, wait=False) for key in keys])

    async def give_up(self, held: list[Any]) -> None:
        """See `Contender.give_up`."""
        await asyncio.to_thread(self._release_all, held)

    async def take(self, key: str) -> list[Any]:
        """See `Contender.take`."""
        return [await asyncio.to_thread(partial(self.acquire, key, wait=True))]

    def _release_all(self, held: list[Any]) -> None:
        for handle in held:
            self.release(handle)

    def _pairs_for(self, seconds: float, together: threading.Barrier) -> int:
        together.wait()
        pairs, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            self.release(self.acquire(fresh_key(), wait=False))
            pairs += 1
        return pairs

    def _pair_together(self, key: str, together: threading.Barrier) -> None:
        together.wait()
        self.release(self.acquire(key, wait=True))

    def _latencies(self, seconds: float) -> list[float]:
        measured: list[float] = []
        until = time.perf_counter() + seconds
        while (start := time.perf_counter()) < until or not measured:
            self.release(self.acquire(fresh_key(), wait=False))
            measured.append(time.perf_counter() - start)
        return measured


@asynccontextmanager
async def _pool(threads: int) -> AsyncIterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        await asyncio.to_thread(pool.shutdown)
