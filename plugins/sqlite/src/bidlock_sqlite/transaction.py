"""The port's primitives as steps of one transaction. Each decides from what it reads, then writes.

A step that raises leaves whatever it wrote to whoever runs it: the batch undoes it (see `writer`).
"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime

from bidlock.backend import FORMAT, SELF, Answer, Inspection, LeaseRecord, MarkerState, SelfMeta, Ticket, Verdict
from bidlock.modes import MODES, Role
from bidlock.postings import HASH_NAME, Posting
from bidlock_sqlite import rows
from bidlock_sqlite.meta import Client, Meta, refusal
from bidlock_sqlite.statements import SCHEMA, SQL

_OK = Answer(Verdict.OK)
_DONE = Answer(Verdict.DONE)
_LOST = Answer(Verdict.LOST)
_WATERMARK = Answer(Verdict.WATERMARK)


class Transaction:
    """Every operation of one batch, between BEGIN and COMMIT.

    Args:
        cursor: Of the connection whose transaction this is.
        client: What the client expects of the store.
        ready: Whether the tables are there.
    """

    def __init__(self, cursor: sqlite3.Cursor, client: Client, *, ready: bool) -> None:
        self.meta = Meta.read(cursor) if ready else None
        self.freed: list[int] = []
        """Digests of the postings whose waiters must be told after COMMIT."""
        self._cursor = cursor
        self._client = client
        (self._now,) = cursor.execute(SQL["now"]).fetchone()  # after BEGIN: waiting for the lock took time
        self._ready = ready
        self._created_at = datetime.fromtimestamp(self._now, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        self._counter = self._written = self.meta.counter if self.meta else 0

    @property
    def counter(self) -> int:
        """Highest token handed out, this transaction's included."""
        return self._counter

    def flush(self) -> None:
        """Write the counter, once for all operations; the last step before COMMIT."""
        if self._counter != self._written:
            self._cursor.execute(SQL["raise_counter"], (self._counter,))
            self._written = self._counter

    def purge(self) -> None:
        """Delete what crashed clients left behind."""
        if self._ready:
            self._cursor.execute(SQL["purge_locks"], (self._now,))
            self._cursor.execute(SQL["purge_leases"])

    def open_self(self, wanted: SelfMeta) -> bool:
        """See `Backend.open_self`."""
        if self.meta is None:
            if self._ready and self._cursor.execute(SQL["has_rows"]).fetchone()[0]:
                return False
            for statement in SCHEMA:
                self._cursor.execute(statement)
            self._cursor.execute(SQL["write_meta"], self._fresh(wanted))
            self._ready = True
            self.meta = Meta.read(self._cursor)
        return self.meta is not None and self.meta.owner == SELF

    def acquire(self, ticket: Ticket, floor: int, passed_from: str) -> Answer:
        """See `Backend.acquire`."""
        if refused := refusal(self.meta, self._client, ticket) or self._refused_by_watermark(ticket):
            return refused
        lock_key = rows.lock_key(ticket.posting)
        state = self._state(ticket.posting.key, lock_key)
        if state.marker is not None:
            return _DONE
        if state.live(self._now) and not self._free_for(ticket.nonce, passed_from, state):
            return Answer(Verdict.HELD, remaining_ms=state.remaining_ms(self._now))
        token = self._counter = max(self._counter + 1, floor)
        self._lease(ticket, lock_key, token)
        return Answer(Verdict.OK, token)

    def confirm(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.confirm`."""
        if refused := refusal(self.meta, self._client, ticket) or self._refused_unless_mine(ticket):
            return refused
        self._counter = max(self._counter, token)
        return Answer(Verdict.OK, token)

    def renew(self, ticket: Ticket) -> Answer:
        """See `Backend.renew`."""
        if refused := refusal(self.meta, self._client, ticket) or self._refused_unless_mine(ticket):
            return refused
        self._cursor.execute(SQL["extend"], (self._now + ticket.ttl_ms / 1000, rows.lock_key(ticket.posting)))
        return _OK

    def claim(self, ticket: Ticket, token: int) -> Answer:
        """See `Backend.claim`."""
        if refused := refusal(self.meta, self._client, ticket):
            return refused
        state = self._state(ticket.posting.key, rows.lock_key(ticket.posting))
        if state.marker is not None:
            return _OK if state.marker == rows.pack(ticket.nonce) else _DONE
        if not self._holds(ticket.nonce, state):
            return _LOST
        self._mark(ticket, token, MarkerState.CLAIMED)
        self._counter += 1  # counts markers too, so that an older copy of a store can be told by its counter
        return _OK

    def record(self, ticket: Ticket, state: MarkerState) -> Answer:
        """See `Backend.record`."""
        if refused := refusal(self.meta, self._client, ticket):
            return refused
        row = self._cursor.execute(SQL["marker"], (ticket.posting.key,)).fetchone()
        if row is None or row[0] != rows.pack(ticket.nonce):
            return _LOST
        self._cursor.execute(SQL["record"], (state.value, ticket.posting.key))
        return _OK

    def mark(self, ticket: Ticket, token: int, state: MarkerState) -> Answer:
        """See `Backend.mark`. After a bid that rests on another store, a marker does no harm whatever the window says."""
        mode = MODES.get(ticket.mode)
        if refused := refusal(self.meta, self._client, ticket, courtesy=bool(mode and Role.ORIGIN in mode.marks)):
            return refused
        row = self._cursor.execute(SQL["marker"], (ticket.posting.key,)).fetchone()
        if row is None:
            self._mark(ticket, token, state)
            return _OK
        return _OK if row[0] == rows.pack(ticket.nonce) else _DONE

    def release(self, ticket: Ticket) -> Answer:
        """See `Backend.release`."""
        if not self._ready:
            return _LOST
        lock_key = rows.lock_key(ticket.posting)
        state = self._state(ticket.posting.key, lock_key)
        if not state.belongs_to(ticket.nonce):
            return _LOST
        self._free(ticket.posting, lock_key)
        return _OK if state.live(self._now) else _LOST

    def inspect(self, posting: Posting) -> Inspection:
        """See `Backend.inspect`."""
        if not self._ready:
            return Inspection(None, None)
        state = self._state(posting.key, rows.lock_key(posting))
        row = self._cursor.execute(SQL["marker"], (posting.key,)).fetchone()
        return Inspection(state.lease(self._now), rows.marker(row) if row else None)

    def break_(self, posting: Posting, by: str, reason: str) -> LeaseRecord | None:
        """See `Backend.break_`."""
        lease = self.inspect(posting).lease
        if lease is None:
            return None
        self._cursor.execute(SQL["audit"], (self._now, posting.key, lease.holder, lease.token, by, reason))
        self._counter += 1
        self._free(posting, rows.lock_key(posting))
        return lease

    def _fresh(self, wanted: SelfMeta) -> tuple[object, ...]:
        modes = f",{wanted.mode},"
        return secrets.token_hex(16), SELF, FORMAT, self._client.buckets, HASH_NAME, modes, wanted.ttl_max_ms, wanted.margin_ms

    def _refused_by_watermark(self, ticket: Ticket) -> Answer | None:
        watermark = self.meta.watermark_ms if self.meta else 0
        return _WATERMARK if watermark and ticket.posted_at_ms <= watermark else None

    def _refused_unless_mine(self, ticket: Ticket) -> Answer | None:
        state = self._state(ticket.posting.key, rows.lock_key(ticket.posting))
        return None if self._holds(ticket.nonce, state) else _LOST

    def _holds(self, nonce: str, state: rows.State) -> bool:
        return state.belongs_to(nonce) and state.live(self._now)

    @staticmethod
    def _free_for(nonce: str, passed_from: str, state: rows.State) -> bool:
        return state.belongs_to(nonce) or (bool(passed_from) and state.belongs_to(passed_from))

    def _state(self, key: str, lock_key: str) -> rows.State:
        return rows.State._make(self._cursor.execute(SQL["state"], (key, key, lock_key)).fetchone())

    def _lease(self, ticket: Ticket, lock_key: str, token: int) -> None:
        until = self._now + ticket.ttl_ms / 1000
        self._cursor.execute(SQL["lock"], (lock_key, rows.OURS + ticket.nonce, self._now, until, self._created_at))
        self._cursor.execute(SQL["lease"], (ticket.posting.key, ticket.nonce, ticket.mode, token, ticket.holder, lock_key))

    def _mark(self, ticket: Ticket, token: int, state: MarkerState) -> None:
        self._cursor.execute(SQL["mark"], (ticket.posting.key, rows.pack(ticket.nonce), token, state.value, ticket.posted_at_ms))

    def _free(self, posting: Posting, lock_key: str) -> None:
        self._cursor.execute(SQL["unlock"], (lock_key,))
        self._cursor.execute(SQL["unlease"], (posting.key,))
        self.freed.append(posting.digest)
