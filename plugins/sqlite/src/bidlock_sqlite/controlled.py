"""The controller's port over a SQLite file: what `bidlock migrate`, the operator and the agent do with an origin store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from bidlock import postings
from bidlock.backend import BackendConfig
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.sight import Origin
from bidlock_sqlite import alone, legacyfence
from bidlock_sqlite.control import Control
from bidlock_sqlite.openfile import OpenFile
from bidlock_sqlite.options import Options

T = TypeVar("T")
CHUNK = 1000
"""How many markers are read at once."""


class SqliteOrigin:
    """A file that a fleet comes from. Every verb is one transaction on a connection of its own, in a thread.

    Args:
        config: As for the bidders' backend.
        may_create: Whether `constitute` makes a missing file; an agent must not.
        seen: Domain of the file that was last surveyed; empty when none was.
    """

    def __init__(self, config: BackendConfig, *, may_create: bool = True, seen: str = "") -> None:
        self._options = Options.read(config.address, config.timeout)
        self._buckets = config.buckets
        self._may_create = may_create
        self._seen = seen

    async def open(self) -> None:
        """See `MigratableStore.open`. A missing file is an empty store, unless it may not be created."""
        await asyncio.to_thread(self._run, lambda _: None, writes=False)

    async def close(self) -> None:
        """See `MigratableStore.close`. Nothing stays open between two verbs."""

    async def survey(self, epoch: int) -> Origin:
        """See `OriginStore.survey`."""
        origin = await self._do(lambda control: control.survey(epoch), writes=False)
        self._seen = origin.domain
        return origin

    async def constitute(self, constitution: Constitution, modes: frozenset[str]) -> Outcome:
        """See `OriginStore.constitute`."""
        return await self._do(lambda control: legacyfence.constitute(control, constitution, modes), creates=True)

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.fence`."""
        return await self._do(lambda control: control.close_modes(modes, epoch))

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.open_mode`."""
        return await self._do(lambda control: control.open_mode(mode, epoch))

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.close_mode`."""
        return await self._do(lambda control: control.close_modes(frozenset({mode}), epoch))

    async def raise_watermark(self, watermark_ms: int, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.raise_watermark`."""
        return await self._do(lambda control: control.raise_watermark(watermark_ms))

    async def copy_out(self, bucket: int) -> AsyncIterator[list[MarkerRow]]:
        """See `MigratableStore.copy_out`. Of the file last surveyed: another in its place is refused.

        Raises:
            BackendUnavailable: the file is gone, or another.
        """
        after = ""
        while chunk := await self._do(lambda control: control.markers(after, CHUNK, self._seen), writes=False):  # noqa: B023 — awaited at once
            after = chunk[-1].key
            if own := [row for row in chunk if postings.digest(row.key) % self._buckets == bucket]:
                yield own

    async def tail(self, bucket: int) -> Tail:
        """See `MigratableStore.tail`. Of the file last surveyed, as `copy_out`.

        Raises:
            BackendUnavailable: the file is gone, or another.
        """
        return await self._do(lambda control: control.tail(self._seen), writes=False)

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.copy_in`."""
        return await self._do(lambda control: control.copy_in(rows, seen))

    async def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.stamp`."""
        return await self._do(lambda control: control.stamp(tail, epoch, bucket, seen))

    async def install_fence(self, epoch: int) -> Outcome:
        """Build the trigger fence, so that original bots obey windows, markers and the watermark; may be repeated.

        They are admitted (mode `legacy`) only while a mode that rests on this file alone is: then it has the authority.
        A posting that one of them has locked gets a marker, for it may have bid on it; what they bid on and unlocked
        before left no trace.
        """
        return await self._do(lambda control: legacyfence.install(control, epoch))

    async def remove_fence(self, epoch: int) -> Outcome:
        """Take the trigger fence away, after the last original bot; one that still runs would obey nothing any more."""
        return await self._do(lambda control: legacyfence.remove(control, epoch))

    async def _do(self, step: Callable[[Control], T], *, writes: bool = True, creates: bool = False) -> T:
        return await asyncio.to_thread(alone.later, lambda: self._run(step, writes=writes, creates=creates))

    def _run(self, step: Callable[[Control], T], *, writes: bool, creates: bool = False) -> T:
        def inside(file: OpenFile | None) -> T:
            return step(Control(file, self._buckets))

        return alone.run(self._options, inside, writes=writes, may_create=self._may_create, creates=creates and self._may_create)
