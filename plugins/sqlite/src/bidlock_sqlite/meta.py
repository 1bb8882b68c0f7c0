"""A store's own account of itself: one row of `bidlock_meta`, and the guard that every operation passes first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from bidlock.backend import FORMAT, Answer, Ticket, Verdict
from bidlock.postings import HASH_NAME
from bidlock_sqlite.statements import SQL


@dataclass(frozen=True, slots=True)
class Meta:
    """The row, in the order of the statement `meta`. `modes` is written `,sqlite,dual,`."""

    domain: str
    owner: str
    format: int
    buckets: int
    hash: str
    epoch: int
    modes: str
    counter: int
    watermark_ms: int
    ttl_max_ms: int
    margin_ms: int
    incarnation: int

    @classmethod
    def read(cls, cursor: sqlite3.Cursor) -> Meta | None:
        """The store's row; None when nobody opened it yet."""
        row = cursor.execute(SQL["meta"]).fetchone()
        return cls(*row) if row else None


@dataclass(frozen=True, slots=True)
class Client:
    """What a client expects of a store.

    Attributes:
        owner: Policy's or register's id, or `self`.
        buckets: Number of buckets it spreads postings over.
        domain: Store it began with, for attempts that name none; empty before the first.
    """

    owner: str
    buckets: int
    domain: str = ""


def refusal(meta: Meta | None, client: Client, ticket: Ticket, *, courtesy: bool = False) -> Answer | None:
    """Why the store must not serve this attempt; None when it may.

    Args:
        meta: The store's own.
        client: What it expects.
        ticket: Who asks.
        courtesy: The mode does not rest on this store, so no window of it holds the mode.
    """
    if meta is None:
        return _CLOSED
    if meta.owner != client.owner:
        return _OWNER
    if meta.format != FORMAT or meta.buckets != client.buckets or meta.hash != HASH_NAME:
        return _FORMAT
    if meta.domain != (ticket.domain or client.domain or meta.domain):
        return _DOMAIN
    if not courtesy and f",{ticket.mode}," not in meta.modes:
        return _MODE
    if ticket.ttl_ms > meta.ttl_max_ms:
        return _TTL
    return None


_CLOSED, _OWNER, _FORMAT, _DOMAIN, _MODE, _TTL = map(
    Answer, (Verdict.CLOSED, Verdict.OWNER, Verdict.FORMAT, Verdict.DOMAIN, Verdict.MODE, Verdict.TTL)
)
