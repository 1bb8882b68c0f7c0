"""What the tables say about one posting, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple

from bidlock.backend import LeaseRecord, MarkerRecord, MarkerState
from bidlock.postings import Posting

OURS = "bl1:"
"""How `holder_id` of our rows in the original bot's table begins; the attempt's nonce follows."""


class State(NamedTuple):
    """One row of the statement `state`."""

    marker: bytes | str | None
    nonce: str | None
    token: int | None
    holder: str | None
    holder_id: str | None
    acquired_at: float | None
    expires_at: float | None

    def live(self, now: float) -> bool:
        """Whether somebody holds the original table's row. One without an expiry never ends."""
        return self.holder_id is not None and (not isinstance(self.expires_at, (int, float)) or self.expires_at > now)

    def belongs_to(self, nonce: str) -> bool:
        """Whether the row is of this attempt at this very posting, expired or not."""
        return self.nonce == nonce and self.holder_id == OURS + nonce

    def remaining_ms(self, now: float) -> int:
        """Milliseconds until the row expires; -1 for one that never does."""
        return round((self.expires_at - now) * 1000) if isinstance(self.expires_at, (int, float)) else -1

    def lease(self, now: float) -> LeaseRecord | None:
        """The posting's live lease; None also when another posting with the same `lock_key` is leased."""
        if self.holder_id is None or not self.live(now):
            return None
        since_ms = round(self.acquired_at * 1000) if isinstance(self.acquired_at, (int, float)) else 0
        if self.nonce and self.belongs_to(self.nonce):
            return LeaseRecord(self.nonce, self.token or 0, self.holder or "", since_ms, self.remaining_ms(now))
        if self.holder_id.startswith(OURS):
            return None
        return LeaseRecord("", 0, self.holder_id, since_ms, self.remaining_ms(now))


def lock_key(posting: Posting) -> str:
    """The posting's key in the original bot's table.

    Half of a surrogate pair is no text that a database can keep, so it is written out in digits; should two postings then
    share a key, they only exclude each other.
    """
    key = posting.original_key
    return key if key.isascii() else key.encode(errors="backslashreplace").decode()


def pack(nonce: str) -> bytes | str:
    """A nonce as markers keep it: 16 bytes instead of 32 hexadecimal digits."""
    try:
        packed = bytes.fromhex(nonce)
    except ValueError:
        return nonce
    return packed if len(packed) == 16 and packed.hex() == nonce else nonce


def unpack(nonce: bytes | str) -> str:
    """The nonce that `pack` was given."""
    return nonce.hex() if isinstance(nonce, bytes) else nonce


def marker(row: tuple[bytes | str, int, str, int]) -> MarkerRecord:
    """A marker from a row of the statement `marker`."""
    nonce, token, state, posted_at_ms = row
    return MarkerRecord(unpack(nonce), token, MarkerState(state), posted_at_ms)
