"""The port of bidlock over `Store`: every primitive is one step. Complete as it is; what to fill stands in `store`.

A posting's record has its lease and its marker. The record `meta` says whose the store is, what it admits, and how
far it has counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bidlock.backend import (
    FORMAT,
    SELF,
    Answer,
    BackendConfig,
    Inspection,
    LeaseRecord,
    MarkerRecord,
    MarkerState,
    Observed,
    SelfMeta,
    Ticket,
    Verdict,
)
from bidlock.postings import Posting
from example_backend.store import CAPABILITIES, Record, Step, Store

OK, LOST, DONE = Answer(Verdict.OK), Answer(Verdict.LOST), Answer(Verdict.DONE)


class FilesBackend:
    """See `bidlock.backend.Backend`."""

    def __init__(self, config: BackendConfig) -> None:
        self._config = config
        self._store = Store(config)

    async def open(self) -> None:
        """See `Backend.open`."""
        await self._store.open()

    async def close(self) -> None:
        """See `Backend.close`."""
        await self._store.close()

    async def observe(self) -> Observed:
        """See `Backend.observe`."""
        async with self._store.step() as step:
            meta = await step.read("meta")
        if meta is None:
            return Observed(initialised=False, live=False)
        known = {name: meta[name] for name in ("owner", "format", "buckets", "counter", "ttl_max_ms", "margin_ms")}
        durable = CAPABILITIES.durability != "volatile"
        details = {"store": self._store.name}
        return Observed(initialised=True, live=True, modes=frozenset(meta["modes"]), durable=durable, details=details, **known)

    async def open_self(self, meta: SelfMeta) -> bool:
        """See `Backend.open_self`."""
        async with self._store.step() as step:
            known = await step.read("meta")
            if known is None:
                known = {"owner": SELF, "format": FORMAT, "buckets": self._config.buckets, "modes": [meta.mode], "counter": 0}
                await step.write("meta", {**known, "ttl_max_ms": meta.ttl_max_ms, "margin_ms": meta.margin_ms})
            return bool(known["owner"] == SELF)

    async def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Answer:
        """See `Backend.acquire`."""
        async with self._store.step() as step:
            if refusal := await self._refusal(step, ticket):
                return refusal
            lease, marker = await _posting(step, ticket.posting)
            if marker:
                return DONE
            if lease and lease["nonce"] not in (ticket.nonce, passed_from):
                return Answer(Verdict.HELD, remaining_ms=lease["until_ms"] - await step.now_ms())
            token = await _count(step, 1, floor)
            mine = {"nonce": ticket.nonce, "holder": ticket.holder, "token": token, "since_ms": time.time_ns() // 1_000_000}
            await _save(step, ticket.posting, await _prolonged(step, mine, ticket), None)
            return Answer(Verdict.OK, token)

    async def confirm(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.confirm`."""
        async with self._store.step() as step:
            if refusal := await self._refusal(step, ticket) or await _refusal_of_strangers(step, ticket):
                return refusal
            await _count(step, 0, token)
            return Answer(Verdict.OK, token)

    async def renew(self, ticket: Ticket) -> Answer:
        """See `Backend.renew`."""
        async with self._store.step() as step:
            if refusal := await self._refusal(step, ticket) or await _refusal_of_strangers(step, ticket):
                return refusal
            lease, marker = await _posting(step, ticket.posting)
            await _save(step, ticket.posting, await _prolonged(step, lease or {}, ticket), marker)
            return OK

    async def claim(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.claim`."""
        async with self._store.step() as step:
            if refusal := await self._refusal(step, ticket):
                return refusal
            _, marker = await _posting(step, ticket.posting)
            if not marker and (refusal := await _refusal_of_strangers(step, ticket)):
                return refusal
            return await _mark(step, ticket, token, MarkerState.CLAIMED)

    async def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """See `Backend.record`."""
        async with self._store.step() as step:
            if refusal := await self._refusal(step, ticket):
                return refusal
            lease, marker = await _posting(step, ticket.posting)
            if not marker or marker["nonce"] != ticket.nonce:
                return LOST
            await _save(step, ticket.posting, lease, {**marker, "state": state})
            return OK

    async def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Answer:
        """See `Backend.mark`."""
        async with self._store.step() as step:
            return await self._refusal(step, ticket) or await _mark(step, ticket, token, state)

    async def release(self, ticket: Ticket) -> Answer:
        """See `Backend.release`."""
        async with self._store.step() as step:
            if refusal := await _refusal_of_strangers(step, ticket):
                return refusal
            _, marker = await _posting(step, ticket.posting)
            await _save(step, ticket.posting, None, marker)
            return OK

    async def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        async with self._store.step() as step:
            lease, marker = await _posting(step, posting)
            now_ms = await step.now_ms()
        seen = MarkerRecord(marker["nonce"], marker["token"], MarkerState(marker["state"]), marker["posted_at_ms"]) if marker else None
        return Inspection(_shown(lease, now_ms) if lease else None, seen)

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        async with self._store.step() as step:
            lease, marker = await _posting(step, posting)
            if not lease:
                return None
            await step.audit({"posting": posting.key, "broken": lease, "by": by, "reason": reason})
            await _count(step, 1)
            await _save(step, posting, None, marker)
            return _shown(lease, await step.now_ms())

    @asynccontextmanager
    async def wakeups(self, posting: Posting) -> AsyncIterator[_Sleep]:  # noqa: ARG002 — nobody is told; see `Capabilities.wait`
        """See `Backend.wakeups`."""
        yield _Sleep()

    async def _refusal(self, step: Step, ticket: Ticket) -> Answer | None:
        """The guard: what the store's meta says against this client."""
        meta = await step.read("meta")
        if meta is None:
            return Answer(Verdict.CLOSED)
        if meta["owner"] != self._config.owner:
            return Answer(Verdict.OWNER)
        if (meta["format"], meta["buckets"]) != (FORMAT, self._config.buckets):
            return Answer(Verdict.FORMAT)
        if ticket.mode not in meta["modes"]:
            return Answer(Verdict.MODE)
        return Answer(Verdict.TTL) if ticket.ttl_ms > meta["ttl_max_ms"] else None


class _Sleep:
    async def wait(self, timeout: float) -> None:
        """See `Wakeups.wait`."""
        await asyncio.sleep(timeout)


async def _posting(step: Step, posting: Posting) -> tuple[Record | None, Record | None]:
    """The live lease and the marker."""
    known = await step.read(posting.key) or {"lease": None, "marker": None}
    lease = known["lease"]
    # Its last millisecond counts in full: the stamps are rounded down, and its holder must stop first.
    return (lease if lease and lease["until_ms"] >= await step.now_ms() else None), known["marker"]


async def _save(step: Step, posting: Posting, lease: Record | None, marker: Record | None) -> None:
    await step.write(posting.key, {"posting": posting.key, "lease": lease, "marker": marker})


async def _prolonged(step: Step, lease: Record, ticket: Ticket) -> Record:
    return {**lease, "until_ms": await step.now_ms() + ticket.ttl_ms}


async def _refusal_of_strangers(step: Step, ticket: Ticket) -> Answer | None:
    lease, _ = await _posting(step, ticket.posting)
    return None if lease and lease["nonce"] == ticket.nonce else LOST


async def _mark(step: Step, ticket: Ticket, token: int, state: MarkerState) -> Answer:
    lease, marker = await _posting(step, ticket.posting)
    if marker:
        return OK if marker["nonce"] == ticket.nonce else DONE
    mine = {"nonce": ticket.nonce, "token": token, "state": state, "posted_at_ms": ticket.posted_at_ms}
    await _save(step, ticket.posting, lease, mine)
    return OK


async def _count(step: Step, by: int, floor: int = 0) -> int:
    """Count on, and return how far. Always before the posting is saved: else a crash could hand a token out twice."""
    meta = await step.read("meta") or {"counter": 0}
    counter: int = max(meta["counter"] + by, floor)
    await step.write("meta", {**meta, "counter": counter})
    return counter


def _shown(lease: Record, now_ms: int) -> LeaseRecord:
    return LeaseRecord(lease["nonce"], lease["token"], lease["holder"], lease["since_ms"], lease["until_ms"] - now_ms)
