"""A controller's writes as steps of one transaction. Each decides from what it reads, then writes."""

from __future__ import annotations

import secrets
import sqlite3

from bidlock.backend import FORMAT, SELF, MarkerState
from bidlock.errors import BackendUnavailable
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.sight import Origin
from bidlock.postings import HASH_NAME
from bidlock.settings import MARGIN_RATE
from bidlock_sqlite import rows
from bidlock_sqlite.meta import Meta
from bidlock_sqlite.openfile import OpenFile
from bidlock_sqlite.statements import CONTROL, SCHEMA, SQL


class Control:
    """The store between BEGIN and COMMIT.

    Args:
        file: The open file, in a transaction; None when there is none.
        buckets: How many buckets the controller spreads postings over.

    Raises:
        BackendUnavailable: the store was written with another layout than this program knows.
    """

    def __init__(self, file: OpenFile | None, buckets: int) -> None:
        self._cursor = file.cursor if file else None
        self._ready = bool(file and file.ready())
        self._buckets = buckets
        self.meta = Meta.read(file.cursor) if file and self._ready else None
        self.originals = bool(file and not self._ready and file.cursor.execute(SQL["has_table"], ("distributed_locks",)).fetchone())
        """Whether the file is an original bot's, and no other than original bots ever used it."""
        if self.meta and (complaint := _complaint(self.meta, buckets)):
            raise BackendUnavailable(complaint)

    @property
    def cursor(self) -> sqlite3.Cursor:
        """Of the open file."""
        if self._cursor is None:
            raise BackendUnavailable("the file does not exist")
        return self._cursor

    def survey(self, epoch: int) -> Origin:
        """See `OriginStore.survey`."""
        meta = self.meta
        if meta is None:
            return Origin(initialised=False)
        return Origin(
            domain=meta.domain,
            epoch=meta.epoch,
            modes=modes_of(meta),
            drained=self._drained(meta),
            synced=frozenset(bucket for (bucket,) in self.cursor.execute(CONTROL["synced"], (epoch,))),
            counter=meta.counter,
            watermark_ms=meta.watermark_ms,
            owner=meta.owner,
        )

    def constitute(self, constitution: Constitution, modes: frozenset[str]) -> Outcome:
        """See `OriginStore.constitute`. CLOSED for a file that lost its meta and nothing else."""
        if self.meta and self.meta.owner != SELF:
            return Outcome.OK if self.meta.owner == constitution.owner else Outcome.OWNER
        if self.meta is None and not self._initialised():
            return Outcome.CLOSED
        self.cursor.execute(CONTROL["constitute"], self._constituted(constitution, modes))
        self.cursor.execute(CONTROL["forget_copies"])
        return Outcome.OK

    def open_mode(self, mode: str, epoch: int) -> Outcome:
        """See `MigratableStore.open_mode`."""
        return self._set_window(epoch, add=frozenset({mode}))

    def close_modes(self, modes: frozenset[str], epoch: int) -> Outcome:
        """Admit none of them any more, and refuse older controllers."""
        outcome = self._set_window(epoch, remove=modes)
        if outcome is Outcome.OK:
            self.cursor.execute(CONTROL["note_closing"], (self._now(),))
        return outcome

    def raise_watermark(self, watermark_ms: int) -> Outcome:
        """See `MigratableStore.raise_watermark`. It only ever rises, so an older controller does no harm."""
        if self.meta is None:
            return Outcome.CLOSED
        self.cursor.execute(CONTROL["lift_watermark"], (watermark_ms,))
        return Outcome.OK

    def markers(self, after: str, count: int, seen: str) -> list[MarkerRow]:
        """The next markers in the order of their keys, whatever bucket they are in; from the store `seen` alone."""
        self._require(seen)
        found = self.cursor.execute(CONTROL["markers_after"], (after, count))
        return [MarkerRow(key, rows.unpack(nonce), token, MarkerState(state), at) for key, nonce, token, state, at in found]

    def tail(self, seen: str) -> Tail:
        """See `MigratableStore.tail`; of the store `seen` alone."""
        meta = self._require(seen)
        return Tail(meta.counter, meta.watermark_ms)

    def copy_in(self, markers: list[MarkerRow], seen: str) -> Outcome:
        """See `MigratableStore.copy_in`."""
        if self.meta is None:
            return Outcome.CLOSED
        if self.meta.domain != seen:
            return Outcome.CHANGED
        packed = ((key, rows.pack(nonce), token, MarkerState(state).value, at) for key, nonce, token, state, at in markers)
        self.cursor.executemany(CONTROL["add_marker"], packed)
        return Outcome.OK

    def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.stamp`."""
        if refused := self._refusal(epoch):
            return refused
        if self.meta and self.meta.domain != seen:
            return Outcome.CHANGED
        self.cursor.execute(CONTROL["stamp_store"], (tail.counter, tail.watermark_ms, epoch))
        self.cursor.execute(CONTROL["stamp_bucket"], (bucket, epoch))
        return Outcome.OK

    def _set_window(self, epoch: int, add: frozenset[str] = frozenset(), remove: frozenset[str] = frozenset()) -> Outcome:
        if refused := self._refusal(epoch):
            return refused
        modes = (modes_of(self.meta) if self.meta else frozenset()) - remove | add
        self.cursor.execute(CONTROL["set_window"], (window(modes), epoch))
        return Outcome.OK

    def _refusal(self, epoch: int) -> Outcome | None:
        if self.meta is None:
            return Outcome.CLOSED
        return Outcome.EPOCH if self.meta.epoch > epoch else None

    def _require(self, seen: str) -> Meta:
        """The meta, if it is that of the store the copy began with: a stranger's markers are not what was fenced."""
        if self.meta is None or self.meta.domain != (seen or self.meta.domain):
            raise BackendUnavailable("the file is not the one that the copy began with; bring the right one back")
        return self.meta

    def _initialised(self) -> bool:
        """Make the tables and an empty meta, unless there are rows whose meta is lost."""
        if self._ready and self.cursor.execute(SQL["has_rows"]).fetchone()[0]:
            return False
        for statement in SCHEMA:
            self.cursor.execute(statement)
        self.cursor.execute(SQL["write_meta"], (secrets.token_hex(16), SELF, FORMAT, self._buckets, HASH_NAME, window(frozenset()), 0, 0))
        return True

    def _constituted(self, constitution: Constitution, modes: frozenset[str]) -> tuple[object, ...]:
        given = constitution
        times = (given.watermark_ms, given.ttl_max_ms, given.margin_ms, self._now())
        return given.owner, self._buckets, given.epoch, window(modes), *times

    def _drained(self, meta: Meta) -> bool:
        margin = (meta.margin_ms + meta.ttl_max_ms * MARGIN_RATE) / 1000
        return not self.cursor.execute(CONTROL["resting"], (self._now() - margin,)).fetchone()[0]

    def now_ms(self) -> int:
        """The machine's clock, Unix milliseconds."""
        return round(self._now() * 1000)

    def _now(self) -> float:
        return float(self.cursor.execute(SQL["now"]).fetchone()[0])


def modes_of(meta: Meta) -> frozenset[str]:
    """The modes that a meta admits."""
    return frozenset(meta.modes.split(",")) - {""}


def window(modes: frozenset[str]) -> str:
    """Modes as the meta keeps them: `,dual,sqlite,`."""
    return "," + "".join(f"{mode}," for mode in sorted(modes))


def _complaint(meta: Meta, buckets: int) -> str:
    """Why a store must not be driven by this program; empty when it may. A `self` store gets the controller's buckets."""
    if meta.format != FORMAT or meta.hash != HASH_NAME:
        return (
            f"the store was written with format {meta.format} ({meta.hash}), this is format {FORMAT} ({HASH_NAME}); use a matching version"
        )
    if meta.owner != SELF and meta.buckets != buckets:
        return f"the store counts {meta.buckets} buckets, this controller {buckets}; set BIDLOCK_BUCKETS={meta.buckets}"
    return ""
