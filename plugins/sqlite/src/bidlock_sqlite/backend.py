"""The port over a SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractAsyncContextManager
from typing import cast

import structlog

from bidlock.backend import (
    Answer,
    BackendConfig,
    Inspection,
    LeaseRecord,
    MarkerState,
    Observed,
    SelfMeta,
    Ticket,
    Wakeups,
)
from bidlock.postings import Posting
from bidlock_sqlite import filesystems
from bidlock_sqlite.options import Options
from bidlock_sqlite.transaction import Transaction
from bidlock_sqlite.wakeup import Wakeup
from bidlock_sqlite.writer import Writer

log = structlog.stdlib.get_logger("bidlock.sqlite")


class SqliteBackend:
    """Every primitive is one operation for the writer's thread; what it does is in `transaction`."""

    def __init__(self, config: BackendConfig) -> None:
        self._options = Options.read(config.address, config.timeout)
        self._wakeup = Wakeup(self._options.path)
        self.writer = Writer(config, self._options, self._wakeup.tell)

    async def open(self) -> None:
        """See `Backend.open`. A missing file is an empty `self` store; nothing is created here."""
        await self.writer.submit(lambda _: None, reads=True, opens=True)
        for warning in self._warnings():
            log.warning(warning)

    async def close(self) -> None:
        """See `Backend.close`."""
        self._wakeup.close()
        await self.writer.close()

    async def observe(self) -> Observed:
        """See `Backend.observe`."""
        return cast("Observed", await self.writer.submit(self._observed, reads=True))

    async def open_self(self, meta: SelfMeta) -> bool:
        """See `Backend.open_self`. Makes the file when there is none."""
        return cast("bool", await self.writer.submit(lambda tx: tx.open_self(meta), creates=True))

    async def acquire(self, ticket: Ticket, *, floor: int = 0, passed_from: str = "") -> Answer:
        """See `Backend.acquire`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.acquire(ticket, floor, passed_from), answers=True))

    async def confirm(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.confirm`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.confirm(ticket, token), answers=True))

    async def renew(self, ticket: Ticket) -> Answer:
        """See `Backend.renew`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.renew(ticket), answers=True))

    async def claim(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.claim`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.claim(ticket, token), answers=True))

    async def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """See `Backend.record`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.record(ticket, state), answers=True))

    async def mark(self, ticket: Ticket, token: int, state: MarkerState = MarkerState.CLAIMED) -> Answer:
        """See `Backend.mark`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.mark(ticket, token, state), answers=True))

    async def release(self, ticket: Ticket) -> Answer:
        """See `Backend.release`."""
        return cast("Answer", await self.writer.submit(lambda tx: tx.release(ticket), answers=True))

    async def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        return cast("Inspection", await self.writer.submit(lambda tx: tx.inspect(posting), reads=True))

    async def break_(self, posting: Posting, *, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        return cast("LeaseRecord | None", await self.writer.submit(lambda tx: tx.break_(posting, by, reason)))

    def wakeups(self, posting: Posting) -> AbstractAsyncContextManager[Wakeups]:
        """See `Backend.wakeups`."""
        return self._wakeup.subscribed(posting.digest)

    def _warnings(self) -> tuple[str, ...]:
        directory = str(self._options.path.parent)
        return self._options.warnings + filesystems.warnings(directory, filesystems.mount_table())

    def _observed(self, transaction: Transaction) -> Observed:
        path = self._options.path
        details = {
            "path": str(path),
            "bytes": str(path.stat().st_size if path.exists() else 0),
            "sqlite": sqlite3.sqlite_version,
            "journal_mode": "wal",
            "synchronous": self._options.synchronous,
            "file_system": filesystems.kind(str(path.parent), filesystems.mount_table()),
        }
        durable, warnings = self._options.synchronous == "FULL", self._warnings()
        meta = transaction.meta
        if meta is None:
            return Observed(initialised=False, live=False, durable=durable, details=details, warnings=warnings)
        return Observed(
            initialised=True,
            live=True,
            owner=meta.owner,
            format=meta.format,
            buckets=meta.buckets,
            modes=frozenset(meta.modes.split(",")) - {""},
            epoch=meta.epoch,
            incarnation=meta.incarnation,
            counter=meta.counter,
            ttl_max_ms=meta.ttl_max_ms,
            margin_ms=meta.margin_ms,
            watermark_ms=meta.watermark_ms,
            domain=meta.domain,
            durable=durable,
            details=details,
            warnings=warnings,
        )
