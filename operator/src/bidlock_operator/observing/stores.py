"""The two stores of a policy: connected while their pods have an address, seen as out of reach while they have none."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from bidlock import addresses
from bidlock.errors import BackendError, BackendUnavailable, ConfigurationError, UnfitStore
from bidlock.migration import connecting
from bidlock.migration.acting import Stores
from bidlock.migration.sight import Bucket, Origin
from bidlock.modes import Role
from bidlock.plugins import Plugins

ORIGINALS_EVERY = 60.0
"""Seconds between two searches for locks of original bots."""

ANSWER = 2.0
"""Longest wait for one answer of a store, seconds."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is amiss with a store.

    Attributes:
        message: For humans.
        reason: One CamelCase word, where the store's backend has one; else empty.
    """

    message: str
    reason: str = ""


Measure = Callable[[str, float], None]
"""Told the name of a store and how long it took to answer, seconds."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stores of a policy are. An empty URL: nowhere, at present.

    Attributes:
        origin: URL of the SQLite agent.
        target: URL of Redis.
        prefix: First part of every key.
        owner: Whose stores they are.
    """

    origin: str = ""
    target: str = ""
    prefix: str = "bidlock"
    owner: str = ""


class Links:
    """Connections to the stores of one policy."""

    def __init__(self, plugins: Plugins, measure: Measure, woken: Callable[[], None]) -> None:
        """Nothing is opened yet.

        Args:
            plugins: Where the backends come from.
            measure: Told how long each look took.
            woken: Called when Redis closed the connection that was held to notice just that.
        """
        self._plugins = plugins
        self._measure = measure
        self._woken = woken
        self._open: dict[Role, tuple[tuple[str, str, str], Any]] = {}
        self._holding: asyncio.Task[None] | None = None
        self.problems: dict[Role, Trouble] = {}
        self._original, self._searched = "", 0.0
        self.ahead = 0.0
        """How far Redis's clock was ahead of ours at the last look, at least, seconds; negative: behind."""

    async def point(self, to: Addresses) -> Stores:
        """The stores at these addresses; connections elsewhere are closed."""
        for role, url in ((Role.ORIGIN, to.origin), (Role.TARGET, to.target)):
            wanted = (url, to.prefix, to.owner)
            if role not in self._open or self._open[role][0] != wanted:
                await self._close(role)
                self._open[role] = (wanted, await self._opened(role, *wanted))
        return Stores(self._open[Role.ORIGIN][1], self._open[Role.TARGET][1])

    async def original_lock(self) -> str:
        """A lock of an original bot in Redis, as last seen; empty for none, or where the server does not tell."""
        if time.monotonic() - self._searched >= ORIGINALS_EVERY:
            self._searched = time.monotonic()
            self._original = ""
            with contextlib.suppress(BackendError):
                self._original = await self._open[Role.TARGET][1].original_lock()
        return self._original

    async def explain(self, role: Role) -> None:
        """A store does not answer: find out why, for humans."""
        self.problems.pop(role, None)
        if role in self._open:
            await self._try(role, self._open[role][1])

    def well(self, role: Role) -> None:
        """A store answers: what was amiss with it is no more."""
        self.problems.pop(role, None)

    def hold(self) -> None:
        """Keep an idle connection to Redis: its end is the first sign of a restart."""
        url = self._open[Role.TARGET][0][0] if Role.TARGET in self._open else ""
        if url and (self._holding is None or self._holding.done()) and (hosts := addresses.parse(url).hosts):
            host, port = hosts[0]
            self._holding = asyncio.get_running_loop().create_task(self._hold(host, port or 6379), name="held connection")

    async def close(self) -> None:
        """Close everything."""
        if self._holding:
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)
        for role in tuple(self._open):
            await self._close(role)

    async def _opened(self, role: Role, url: str, prefix: str, owner: str) -> Any:
        self.problems.pop(role, None)
        if not url:
            return Away(role)
        try:
            store = connecting.store(url, self._plugins, role, owner=owner, prefix=prefix, buckets=1, timeout=ANSWER)
        except ConfigurationError as error:
            self.problems[role] = _trouble(error)
            return Away(role)
        await self._try(role, store)
        name = "sqlite" if role is Role.ORIGIN else "redis"
        return Timed(store, lambda seconds: self._measure(name, seconds), self._compare)

    def _compare(self, ahead: float) -> None:
        self.ahead = ahead

    async def _try(self, role: Role, store: Any) -> None:
        try:
            await store.open()
        except (ConfigurationError, BackendError) as error:
            self.problems[role] = _trouble(error)

    async def _close(self, role: Role) -> None:
        if found := self._open.pop(role, None):
            await found[1].close()

    async def _hold(self, host: str, port: int) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(ANSWER):
                reader, writer = await asyncio.open_connection(host, port)
            try:
                with contextlib.suppress(OSError):  # a reset is an end, too
                    await reader.read()
            finally:
                writer.close()
            self._woken()


class Timed:
    """A store whose looks are measured."""

    def __init__(self, store: Any, measure: Callable[[float], None], compare: Callable[[float], None]) -> None:
        self._store = store
        self._measure = measure
        self._compare = compare

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def survey(self, epoch: int) -> Any:
        """See `MigratableStore`; the time of an answer is told, and how far the store's clock is from ours."""
        began, asked = time.monotonic(), wall()
        seen = await self._store.survey(epoch)
        self._measure(time.monotonic() - began)
        for told in (bucket.clock_ms / 1000 for bucket in (seen if isinstance(seen, tuple) else ()) if bucket.clock_ms):
            self._compare(told - min(max(told, asked), wall()))
        return seen


class Away:
    """A store that is nowhere: seen as out of reach, and never written."""

    def __init__(self, role: Role) -> None:
        self._role = role

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def survey(self, epoch: int) -> Any:  # noqa: ARG002 — the port's signature
        """See `MigratableStore`."""
        return Origin(reachable=False) if self._role is Role.ORIGIN else (Bucket(reachable=False),)

    def __getattr__(self, name: str) -> Any:
        def away(*arguments: Any, **named: Any) -> NoReturn:  # noqa: ARG001 — whatever is asked
            raise BackendUnavailable("the store is not there")

        return cast("Any", away)


def wall() -> float:
    """The present time, Unix seconds."""
    return time.time()


def _trouble(error: ConfigurationError | BackendError) -> Trouble:
    return Trouble(str(error), error.reason if isinstance(error, UnfitStore) else "")
