"""A third-party backend for bidlock: a folder of JSON files under one `flock`. Standard library only.

    files:///var/lib/bids/
    └── bidlock/             the prefix
        ├── lock             held (flock) during every step, so that each step is atomic between processes
        ├── meta.json        owner, layout, admitted modes, limits, the counter of tokens
        ├── audit.jsonl      who broke whose lease, and why
        └── 3f9c….json       one posting: its lease and its marker

Every process on the host reads the same monotonic clock, so no setting of the date can revive or end a lease. That
clock starts anew with the machine, and so does every lease: it names the boot it belongs to.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
from example_backend.folder import Folder, Record

OK, LOST, DONE = Answer(Verdict.OK), Answer(Verdict.LOST), Answer(Verdict.DONE)
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class FilesBackend:
    """The port over a folder: every primitive is one step under its lock."""

    def __init__(self, config: BackendConfig) -> None:
        self._config = config
        self._folder = Folder(Path(config.address.path) / config.prefix, config.timeout)

    async def open(self) -> None:
        """Make the folder."""
        self._folder.make()

    async def close(self) -> None:
        """Nothing stays open between two steps."""

    async def observe(self) -> Observed:
        """See `Backend.observe`."""
        async with self._folder.locked():
            meta = self._folder.read("meta")
        if not meta:
            return Observed(initialised=False, live=False)
        known = {name: meta[name] for name in ("owner", "format", "buckets", "counter", "ttl_max_ms", "margin_ms")}
        return Observed(
            initialised=True, live=True, modes=frozenset(meta["modes"]), durable=True, details={"folder": str(self._folder.path)}, **known
        )

    async def open_self(self, meta: SelfMeta) -> bool:
        """See `Backend.open_self`."""
        async with self._folder.locked():
            if not self._folder.read("meta"):
                limits = {"ttl_max_ms": meta.ttl_max_ms, "margin_ms": meta.margin_ms}
                self._folder.write(
                    "meta", {"owner": SELF, "format": FORMAT, "buckets": self._config.buckets, "modes": [meta.mode], "counter": 0, **limits}
                )
            return bool(self._folder.read("meta")["owner"] == SELF)

    async def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Answer:
        """See `Backend.acquire`."""
        async with self._folder.locked():
            if refusal := self._refusal(ticket):
                return refusal
            lease, marker = self._posting(ticket.posting)
            if marker:
                return DONE
            if lease and lease["nonce"] not in (ticket.nonce, passed_from):
                return Answer(Verdict.HELD, remaining_ms=lease["until_ms"] - _now_ms())
            token = self._count(1, floor)
            self._save(ticket.posting, {**_lease(ticket), "token": token, "since_ms": time.time_ns() // 1_000_000}, None)
            return Answer(Verdict.OK, token)

    async def confirm(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.confirm`."""
        async with self._folder.locked():
            if refusal := self._refusal(ticket) or self._refusal_of_strangers(ticket):
                return refusal
            self._count(0, token)
            return Answer(Verdict.OK, token)

    async def renew(self, ticket: Ticket) -> Answer:
        """See `Backend.renew`."""
        async with self._folder.locked():
            if refusal := self._refusal(ticket) or self._refusal_of_strangers(ticket):
                return refusal
            lease, marker = self._posting(ticket.posting)
            self._save(ticket.posting, {**(lease or {}), **_lease(ticket)}, marker)
            return OK

    async def claim(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.claim`."""
        async with self._folder.locked():
            if refusal := self._refusal(ticket):
                return refusal
            lease, marker = self._posting(ticket.posting)
            if not marker and (refusal := self._refusal_of_strangers(ticket)):
                return refusal
            return self._mark(ticket, token, MarkerState.CLAIMED, lease, marker)

    async def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """See `Backend.record`."""
        async with self._folder.locked():
            if refusal := self._refusal(ticket):
                return refusal
            lease, marker = self._posting(ticket.posting)
            if not marker or marker["nonce"] != ticket.nonce:
                return LOST
            self._save(ticket.posting, lease, {**marker, "state": state})
            return OK

    async def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Answer:
        """See `Backend.mark`."""
        async with self._folder.locked():
            return self._refusal(ticket) or self._mark(ticket, token, state, *self._posting(ticket.posting))

    async def release(self, ticket: Ticket) -> Answer:
        """See `Backend.release`."""
        async with self._folder.locked():
            if refusal := self._refusal_of_strangers(ticket):
                return refusal
            self._save(ticket.posting, None, self._posting(ticket.posting)[1])
            return OK

    async def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        async with self._folder.locked():
            lease, marker = self._posting(posting)
        seen = MarkerRecord(marker["nonce"], marker["token"], MarkerState(marker["state"]), marker["posted_at_ms"]) if marker else None
        return Inspection(_shown(lease), seen)

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        async with self._folder.locked():
            lease, marker = self._posting(posting)
            if lease:
                self._folder.append("audit.jsonl", {"posting": posting.key, "broken": lease, "by": by, "reason": reason})
                self._count(1)
                self._save(posting, None, marker)
            return _shown(lease)

    @asynccontextmanager
    async def wakeups(self, posting: Posting) -> AsyncIterator[_Sleep]:  # noqa: ARG002 — files tell nobody
        """See `Backend.wakeups`."""
        yield _Sleep()

    def _refusal(self, ticket: Ticket) -> Answer | None:
        meta, config = self._folder.read("meta"), self._config
        if not meta:
            return Answer(Verdict.CLOSED)
        if meta["owner"] != config.owner:
            return Answer(Verdict.OWNER)
        if (meta["format"], meta["buckets"]) != (FORMAT, config.buckets):
            return Answer(Verdict.FORMAT)
        if ticket.mode not in meta["modes"]:
            return Answer(Verdict.MODE)
        return Answer(Verdict.TTL) if ticket.ttl_ms > meta["ttl_max_ms"] else None

    def _refusal_of_strangers(self, ticket: Ticket) -> Answer | None:
        lease, _ = self._posting(ticket.posting)
        return None if lease and lease["nonce"] == ticket.nonce else LOST

    def _mark(self, ticket: Ticket, token: int, state: MarkerState, lease: Record | None, marker: Record | None) -> Answer:
        if marker:
            return OK if marker["nonce"] == ticket.nonce else DONE
        self._save(ticket.posting, lease, {"nonce": ticket.nonce, "token": token, "state": state, "posted_at_ms": ticket.posted_at_ms})
        return OK

    def _count(self, step: int, floor: int = 0) -> int:
        # Before the posting's file: a crash in between wastes a token, the other order could hand one out twice.
        meta = self._folder.read("meta")
        counter: int = max(meta["counter"] + step, floor)
        self._folder.write("meta", {**meta, "counter": counter})
        return counter

    def _posting(self, posting: Posting) -> tuple[Record | None, Record | None]:
        known = self._folder.read(_file(posting))
        lease = known.get("lease")
        alive = lease and lease["boot"] == BOOT and lease["until_ms"] > _now_ms()
        return (lease if alive else None), known.get("marker")

    def _save(self, posting: Posting, lease: Record | None, marker: Record | None) -> None:
        self._folder.write(_file(posting), {"posting": posting.key, "lease": lease, "marker": marker})


class _Sleep:
    async def wait(self, timeout: float) -> None:
        """See `Wakeups.wait`."""
        await asyncio.sleep(timeout)


def _lease(ticket: Ticket) -> Record:
    return {"nonce": ticket.nonce, "holder": ticket.holder, "until_ms": _now_ms() + ticket.ttl_ms, "boot": BOOT}


def _shown(lease: Record | None) -> LeaseRecord | None:
    return LeaseRecord(lease["nonce"], lease["token"], lease["holder"], lease["since_ms"], lease["until_ms"] - _now_ms()) if lease else None


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _file(posting: Posting) -> str:
    return hashlib.sha256(posting.key.encode()).hexdigest()


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """What this plugin offers: data only, nothing is opened."""
    capabilities = Capabilities(scope="host", time_authority="server", durability="fsync", wait="poll")
    return [BackendSpec("example", ("files",), FilesBackend, capabilities, harness="example_backend.harness:FilesHarness")]
