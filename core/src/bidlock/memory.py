"""The reference backend: the whole port in one process, to be read.

Every store follows these steps; Redis does so in Lua, SQLite in SQL. Stores live as long as the process and are found
by name, so two clients that open `memory://fleet` share one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bidlock.backend import (
    FORMAT,
    SELF,
    Answer,
    BackendConfig,
    Capabilities,
    Inspection,
    LeaseRecord,
    MarkerRecord,
    MarkerState,
    Observed,
    SelfMeta,
    Ticket,
    Verdict,
)
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock.postings import Posting

_OK = Answer(Verdict.OK)


@dataclass
class MemoryMeta:
    """What a store says about itself; see `Observed`."""

    owner: str
    buckets: int
    modes: frozenset[str]
    ttl_max_ms: int
    margin_ms: int
    run_id: str
    epoch: int = 0
    watermark_ms: int = 0
    domain: str = ""
    incarnation: int = 0
    sealed: str = ""
    synced_epoch: int = -1
    closed_at: float = 0.0
    lost_at: float = float("-inf")
    """Like `closed_at` on the monotonic clock, seconds."""


@dataclass
class _Lease:
    nonce: str
    token: int
    mode: str
    holder: str
    since: float
    expires: float
    """On the monotonic clock, seconds."""


@dataclass
class Store:
    """What a store keeps. `meta` is None until a client or a controller opens it.

    `run_id` stands for the server process: a new one closes the store until it is admitted again.
    """

    meta: MemoryMeta | None = None
    run_id: str = field(default_factory=lambda: secrets.token_hex(20))
    counter: int = 0
    leases: dict[str, _Lease] = field(default_factory=dict)
    markers: dict[str, MarkerRecord] = field(default_factory=dict)
    quarantine: tuple[str, int] | None = None
    audit: list[tuple[str, str, str]] = field(default_factory=list)
    waiters: dict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))


STORES: dict[str, Store] = defaultdict(Store)


class MemoryBackend:
    """The port over one `Store`; there is no await inside a step, so each is atomic."""

    def __init__(self, config: BackendConfig) -> None:
        self._config = config
        host = config.address.hosts[0][0] if config.address.hosts else "default"
        self.store = STORES[f"{host}{config.address.path}/{config.prefix}"]

    async def open(self) -> None:
        """Nothing to reach."""

    async def close(self) -> None:
        """Nothing to give up; the store outlives its clients."""

    async def observe(self) -> Observed:
        """See `Backend.observe`."""
        meta = self.store.meta
        if meta is None:
            return Observed(initialised=False, live=False)
        return Observed(
            initialised=True,
            live=meta.run_id == self.store.run_id,
            owner=meta.owner,
            format=FORMAT,
            buckets=meta.buckets,
            modes=meta.modes,
            epoch=meta.epoch,
            counter=self.store.counter,
            ttl_max_ms=meta.ttl_max_ms,
            margin_ms=meta.margin_ms,
            watermark_ms=meta.watermark_ms,
            domain=meta.domain,
            warnings=("a memory store excludes only callers in this process",),
        )

    async def open_self(self, meta: SelfMeta) -> bool:
        """See `Backend.open_self`."""
        if self.store.meta is None:
            self.store.meta = MemoryMeta(
                SELF, self._config.buckets, frozenset({meta.mode}), meta.ttl_max_ms, meta.margin_ms, self.store.run_id
            )
        if self.store.meta.owner == SELF:
            self.store.meta.run_id = self.store.run_id
        return self.store.meta.owner == SELF

    async def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Answer:
        """See `Backend.acquire`."""
        if refusal := self._guard(ticket) or self._refused_by_watermark(ticket):
            return refusal
        key = ticket.posting.key
        if key in self.store.markers:
            return Answer(Verdict.DONE)
        lease = self._live_lease(key)
        if lease and lease.nonce not in (ticket.nonce, passed_from):
            return Answer(Verdict.HELD, remaining_ms=_remaining_ms(lease))
        token = self.store.counter = max(self.store.counter + 1, floor)
        self.store.leases[key] = _Lease(
            ticket.nonce, token, ticket.mode, ticket.holder, time.time(), time.monotonic() + ticket.ttl_ms / 1000
        )
        return Answer(Verdict.OK, token)

    async def confirm(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.confirm`."""
        if refusal := self._guard(ticket) or self._refused_unless_mine(ticket):
            return refusal
        self.store.counter = max(self.store.counter, token)
        return Answer(Verdict.OK, token)

    async def renew(self, ticket: Ticket) -> Answer:
        """See `Backend.renew`."""
        if refusal := self._guard(ticket) or self._refused_unless_mine(ticket):
            return refusal
        self.store.leases[ticket.posting.key].expires = time.monotonic() + ticket.ttl_ms / 1000
        return _OK

    async def claim(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.claim`."""
        if refusal := self._guard(ticket):
            return refusal
        marker = self.store.markers.get(ticket.posting.key)
        if marker:
            return _OK if marker.nonce == ticket.nonce else Answer(Verdict.DONE)
        if refusal := self._refused_unless_mine(ticket):
            return refusal
        self.store.markers[ticket.posting.key] = MarkerRecord(ticket.nonce, token, MarkerState.CLAIMED, ticket.posted_at_ms)
        self.store.counter += 1  # counts markers too, so that an older copy of a store can be told by its counter
        return _OK

    async def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """See `Backend.record`."""
        if refusal := self._guard(ticket):
            return refusal
        marker = self.store.markers.get(ticket.posting.key)
        if marker is None or marker.nonce != ticket.nonce:
            return Answer(Verdict.LOST)
        self.store.markers[ticket.posting.key] = marker._replace(state=state)
        return _OK

    async def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Answer:
        """See `Backend.mark`."""
        if refusal := self._guard(ticket):
            return refusal
        marker = MarkerRecord(ticket.nonce, token, state, ticket.posted_at_ms)
        kept = self.store.markers.setdefault(ticket.posting.key, marker)
        return _OK if kept.nonce == ticket.nonce else Answer(Verdict.DONE)

    async def release(self, ticket: Ticket) -> Answer:
        """See `Backend.release`."""
        lease = self._live_lease(ticket.posting.key)
        if lease is None or lease.nonce != ticket.nonce:
            return Answer(Verdict.LOST)
        self._delete_lease(ticket.posting.key)
        return _OK

    async def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        lease = self._live_lease(posting.key)
        return Inspection(_record(lease) if lease else None, self.store.markers.get(posting.key))

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        lease = self._live_lease(posting.key)
        if lease is None:
            return None
        self.store.audit.append((posting.key, by, reason))
        self.store.counter += 1
        self._delete_lease(posting.key)
        return _record(lease)

    @asynccontextmanager
    async def wakeups(self, posting: Posting) -> AsyncIterator[_EventWakeups]:
        """See `Backend.wakeups`."""
        event = asyncio.Event()
        self.store.waiters[posting.key].add(event)
        try:
            yield _EventWakeups(event)
        finally:
            self.store.waiters[posting.key].discard(event)
            if not self.store.waiters[posting.key]:
                del self.store.waiters[posting.key]

    def _guard(self, ticket: Ticket) -> Answer | None:
        meta = self.store.meta
        if meta is None:
            return Answer(Verdict.CLOSED)
        if meta.owner != self._config.owner:
            return Answer(Verdict.OWNER)
        if meta.buckets != self._config.buckets:
            return Answer(Verdict.FORMAT)
        if meta.run_id != self.store.run_id:
            return Answer(Verdict.CLOSED)
        if ticket.mode not in meta.modes:
            return Answer(Verdict.MODE)
        if ticket.mode == "strict" and meta.domain != ticket.domain:
            return Answer(Verdict.DOMAIN)
        if ticket.ttl_ms > meta.ttl_max_ms:
            return Answer(Verdict.TTL)
        return None

    def _refused_by_watermark(self, ticket: Ticket) -> Answer | None:
        watermark = self.store.meta.watermark_ms if self.store.meta else 0
        return Answer(Verdict.WATERMARK) if watermark and ticket.posted_at_ms <= watermark else None

    def _refused_unless_mine(self, ticket: Ticket) -> Answer | None:
        lease = self._live_lease(ticket.posting.key)
        return None if lease and lease.nonce == ticket.nonce else Answer(Verdict.LOST)

    def _live_lease(self, key: str) -> _Lease | None:
        lease = self.store.leases.get(key)
        if lease and lease.expires <= time.monotonic():
            del self.store.leases[key]
            return None
        return lease

    def _delete_lease(self, key: str) -> None:
        del self.store.leases[key]
        for event in self.store.waiters.get(key, ()):
            event.set()


class _EventWakeups:
    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def wait(self, timeout: float) -> None:
        """See `Wakeups.wait`."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


def _remaining_ms(lease: _Lease) -> int:
    return max(0, round((lease.expires - time.monotonic()) * 1000))


def _record(lease: _Lease) -> LeaseRecord:
    return LeaseRecord(lease.nonce, lease.token, lease.holder, round(lease.since * 1000), _remaining_ms(lease))


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """The memory backend."""
    capabilities = Capabilities(scope="process", time_authority="client", durability="volatile", wait="notify")
    return [BackendSpec("memory", ("memory",), MemoryBackend, capabilities, harness="bidlock.testing.memory:MemoryHarness")]
