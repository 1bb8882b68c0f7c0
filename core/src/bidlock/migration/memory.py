"""The controller's port over memory stores of one bucket: the reference to read, and what controllers are tested with.

Redis does the same in Lua, SQLite in SQL. A step without an await is atomic.
"""

from __future__ import annotations

import abc
import secrets
import time
from collections.abc import AsyncIterator

from bidlock.backend import SELF, MarkerRecord
from bidlock.memory import MemoryBackend, MemoryMeta, Store
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.register import GENERATION_BITS
from bidlock.migration.sight import LEGACY, ORIGIN_ONLY, Bucket, Origin, Quarantine
from bidlock.settings import MARGIN_RATE


class _MemoryStore(MemoryBackend, abc.ABC):
    """What both kinds of store can do."""

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.fence`."""
        return self._set_window(epoch, self._modes() - modes, closing=True)

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.open_mode`."""
        if self.store.meta and self.store.meta.sealed:
            return Outcome.SEALED
        return self._set_window(epoch, self._modes() | {mode})

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.close_mode`."""
        return self._set_window(epoch, self._modes() - {mode}, closing=True)

    async def raise_watermark(self, watermark_ms: int, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.raise_watermark`."""
        meta = self.store.meta
        if meta is None or not self._running(meta):
            return Outcome.CLOSED
        meta.watermark_ms = max(meta.watermark_ms, watermark_ms)
        return Outcome.OK

    async def copy_out(self, bucket: int) -> AsyncIterator[list[MarkerRow]]:
        """See `MigratableStore.copy_out`."""
        yield [MarkerRow(key, *marker) for key, marker in self.store.markers.items()]

    async def tail(self, bucket: int) -> Tail:
        """See `MigratableStore.tail`."""
        return Tail(self.store.counter, self.store.meta.watermark_ms if self.store.meta else 0)

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.copy_in`."""
        meta = self.store.meta
        if meta is None or not self._running(meta):
            return Outcome.CLOSED
        if self._identity(meta) != seen:
            return Outcome.CHANGED
        for row in rows:
            self.store.markers.setdefault(row.key, MarkerRecord(*row[1:]))
        return Outcome.OK

    async def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.stamp`."""
        meta = self.store.meta
        if meta is None or not self._running(meta):
            return Outcome.CLOSED
        if meta.epoch > epoch:
            return Outcome.EPOCH
        if self._identity(meta) != seen:
            return Outcome.CHANGED
        self.store.counter = max(self.store.counter, tail.counter)
        meta.watermark_ms = max(meta.watermark_ms, tail.watermark_ms)
        meta.epoch = meta.synced_epoch = epoch
        return Outcome.OK

    @abc.abstractmethod
    def _identity(self, meta: MemoryMeta) -> str:
        """What a copy into this store names, so that it is not finished in another."""

    def _running(self, meta: MemoryMeta) -> bool:
        return meta.run_id == self.store.run_id

    def _modes(self) -> frozenset[str]:
        return self.store.meta.modes if self.store.meta else frozenset()

    def _set_window(self, epoch: int, modes: frozenset[str], *, closing: bool = False) -> Outcome:
        meta = self.store.meta
        if meta is None or not self._running(meta):
            return Outcome.CLOSED
        if meta.epoch > epoch:
            return Outcome.EPOCH
        meta.modes, meta.epoch = modes, epoch
        if closing:
            meta.closed_at = time.monotonic()
        return Outcome.OK

    def _waited(self, meta: MemoryMeta, since: float) -> bool:
        """Whether the longest lease and the margin have passed since a moment."""
        return time.monotonic() - since >= (meta.ttl_max_ms * (1 + MARGIN_RATE) + meta.margin_ms) / 1000


class MemoryOrigin(_MemoryStore):
    """A memory store as origin."""

    async def survey(self, epoch: int) -> Origin:
        """See `OriginStore.survey`."""
        meta = self.store.meta
        if meta is None:
            return Origin(initialised=False)
        return Origin(
            domain=meta.domain,
            epoch=meta.epoch,
            modes=meta.modes,
            drained=self._drained(),
            synced=frozenset({0}) if meta.synced_epoch == epoch else frozenset(),
            counter=self.store.counter,
            watermark_ms=meta.watermark_ms,
            owner=meta.owner,
        )

    async def constitute(self, constitution: Constitution, modes: frozenset[str]) -> Outcome:
        """See `OriginStore.constitute`."""
        meta = self.store.meta
        if meta and meta.owner == constitution.owner:
            return Outcome.OK
        if meta and meta.owner != SELF:
            return Outcome.OWNER
        self.store.meta = _written(self.store, constitution, modes)
        self.store.meta.domain = meta.domain if meta and meta.domain else secrets.token_hex(8)
        return Outcome.OK

    def _identity(self, meta: MemoryMeta) -> str:
        return meta.domain

    def _drained(self) -> bool:
        now = time.monotonic()
        resting = ORIGIN_ONLY | {LEGACY}
        return not any(lease.mode in resting and lease.expires > now for lease in self.store.leases.values())


class MemoryTarget(_MemoryStore):
    """A memory store as target, of one bucket. `restart` and `wipe` do to it what happens to servers."""

    durable = True

    def restart(self) -> None:
        """As if the server process were killed and came back with everything it acknowledged."""
        self.store.run_id = secrets.token_hex(20)
        self.store.quarantine = None

    def wipe(self) -> None:
        """As if everything were deleted under the running server."""
        self.store.meta, self.store.quarantine, self.store.counter = None, None, 0
        self.store.leases.clear()
        self.store.markers.clear()

    async def survey(self, epoch: int) -> tuple[Bucket, ...]:
        """See `TargetStore.survey`."""
        planted = self.store.quarantine
        quarantine = Quarantine(*planted) if planted else None
        meta = self.store.meta
        if meta is None:
            return (Bucket(initialised=False, quarantine=quarantine, durable=self.durable, counter=self.store.counter),)
        return (
            Bucket(
                running=self._running(meta),
                incarnation=meta.incarnation,
                epoch=meta.epoch,
                modes=meta.modes,
                domain=meta.domain,
                counter=self.store.counter,
                sealed=meta.sealed,
                quarantine=quarantine,
                durable=self.durable,
                drained=self._waited(meta, meta.closed_at),
                whole=self._waited(meta, meta.lost_at),
                synced=meta.synced_epoch == epoch,
                watermark_ms=meta.watermark_ms,
                owner=meta.owner,
            ),
        )

    async def original_lock(self) -> str:
        """See `TargetStore.original_lock`."""
        return ""

    async def take_over(self, constitution: Constitution) -> Outcome:
        """See `TargetStore.take_over`."""
        meta = self.store.meta
        if meta is None or not self._running(meta):
            return Outcome.CLOSED
        if meta.owner not in (SELF, constitution.owner):
            return Outcome.OWNER
        meta.owner, meta.epoch, meta.domain = constitution.owner, constitution.epoch, constitution.domain
        meta.ttl_max_ms = max(meta.ttl_max_ms, constitution.ttl_max_ms)
        return Outcome.OK

    async def plant(self, bucket: int) -> Outcome:
        """See `TargetStore.plant`."""
        meta = self.store.meta
        if meta and self._running(meta) and meta.modes:
            return Outcome.LIVE
        if self.store.quarantine is None:
            self.store.quarantine = (secrets.token_hex(16), round(time.time() * 1000))
        return Outcome.OK

    async def bless(
        self, bucket: int, nonce: str, constitution: Constitution, modes: frozenset[str], *, incarnation: int, seal: str, kept: bool
    ) -> Outcome:
        """See `TargetStore.bless`."""
        meta, planted = self.store.meta, self.store.quarantine
        if meta and self._running(meta) and meta.incarnation == incarnation:
            return Outcome.LIVE
        if planted is None or planted[0] != nonce:
            return Outcome.CHANGED
        if meta and meta.epoch > constitution.epoch:
            return Outcome.EPOCH
        fresh = _written(self.store, constitution, modes)
        fresh.domain, fresh.incarnation, fresh.sealed, fresh.closed_at = constitution.domain, incarnation, seal, time.monotonic()
        fresh.lost_at = (meta.lost_at if meta else fresh.lost_at) if kept else time.monotonic()
        self.store.meta, self.store.quarantine = fresh, None
        self.store.counter = max(self.store.counter, incarnation << GENERATION_BITS)
        return Outcome.OK

    async def adopt(self, bucket: int, domain: str, epoch: int) -> Outcome:
        """See `TargetStore.adopt`."""
        outcome = self._set_window(epoch, self._modes(), closing=True)
        if outcome is Outcome.OK and self.store.meta:
            self.store.meta.domain = domain
        return outcome

    async def seal(self, bucket: int, nonce: str, epoch: int) -> Outcome:
        """See `TargetStore.seal`."""
        outcome = self._set_window(epoch, frozenset(), closing=True)
        if outcome is Outcome.OK and self.store.meta:
            self.store.meta.sealed = nonce
        return outcome

    async def reopen(self, bucket: int, nonce: str, modes: frozenset[str], epoch: int) -> Outcome:
        """See `TargetStore.reopen`."""
        meta = self.store.meta
        if meta is None or meta.sealed != nonce:
            return Outcome.SEALED
        outcome = self._set_window(epoch, modes)
        if outcome is Outcome.OK:
            meta.sealed = ""
        return outcome

    def _identity(self, meta: MemoryMeta) -> str:
        return str(meta.incarnation)


def _written(store: Store, constitution: Constitution, modes: frozenset[str]) -> MemoryMeta:
    buckets = store.meta.buckets if store.meta else 1
    return MemoryMeta(
        owner=constitution.owner,
        buckets=buckets,
        modes=modes,
        ttl_max_ms=max(constitution.ttl_max_ms, store.meta.ttl_max_ms if store.meta else 0),
        margin_ms=constitution.margin_ms,
        run_id=store.run_id,
        epoch=constitution.epoch,
        watermark_ms=max(constitution.watermark_ms, store.meta.watermark_ms if store.meta else 0),
    )
