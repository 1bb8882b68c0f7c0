"""How leases and markers are written (format 1), and under which keys.

Everything of one bucket carries the hash tag `{prefix:bucket}`, so that a script touches one slot of a cluster.
"""

from __future__ import annotations

from bidlock.backend import FORMAT, Inspection, LeaseRecord, MarkerRecord, MarkerState
from bidlock.postings import HASH_NAME, Posting

ORIGINAL_OURS = "bl1:"
"""In front of our nonce, in an original bot's key."""

_LETTERS = {
    MarkerState.CLAIMED: "c",
    MarkerState.PLACED: "p",
    MarkerState.REJECTED: "r",
    MarkerState.UNKNOWN: "u",
    MarkerState.PRESUMED: "o",
}
_STATES = {letter: state for state, letter in _LETTERS.items()}


class Keys:
    """The keys of one bucket."""

    __slots__ = ("audit", "bucket", "counter", "meta", "quarantine", "tag")

    def __init__(self, prefix: str, bucket: int) -> None:
        self.bucket = bucket
        self.tag = f"{prefix}:{bucket}"
        self.meta = f"{{{self.tag}}}:meta"
        self.counter = f"{{{self.tag}}}:ctr"
        self.quarantine = f"{{{self.tag}}}:quarantine"
        self.audit = f"{{{self.tag}}}:audit"

    def lease(self, posting: Posting) -> str:
        """Key of the posting's lease."""
        return f"{{{self.tag}}}:lease:{posting.key}"

    def markers(self, posting: Posting) -> str:
        """Key of the small hash that holds the posting's marker among others."""
        return self.shard(posting.shard)

    def shard(self, number: int) -> str:
        """Key of a shard of the markers."""
        return f"{{{self.tag}}}:markers:{number:04x}"

    def channel(self, posting: Posting) -> str:
        """Channel on which the posting's releases are told."""
        return f"{{{self.tag}}}:free:{posting.key}"


def stamp(buckets: int) -> str:
    """Format, buckets and hash as the guard compares them."""
    return f"{FORMAT}|{buckets}|{HASH_NAME}"


def original_key(posting: Posting) -> str:
    """Key of the original bot's lock; it joins the raw ids."""
    return f"bid_lock:{posting.marketplace}:{posting.id}"


def letter(state: MarkerState) -> str:
    """How a marker writes its state."""
    return _LETTERS[state]


def marker(nonce: str, token: int, state: MarkerState, posted_at_ms: int) -> str:
    """A marker as it is stored; at most 64 bytes up to a token of 15 digits, so that its hash stays compact."""
    return f"{nonce}|{token}|{_LETTERS[state]}|{posted_at_ms}"


def read_marker(text: str) -> MarkerRecord | None:
    """A stored marker; None for an empty text."""
    return parse_marker(text) if text else None


def parse_marker(text: str) -> MarkerRecord:
    """A stored marker that is there."""
    nonce, token, state, posted_at = text.split("|")
    return MarkerRecord(nonce, int(token), _STATES[state], int(posted_at))


def read_lease(text: str, remaining_ms: int, original: str, original_ms: int) -> LeaseRecord | None:
    """A stored lease; else the lock of an original bot, if one is there."""
    if text:
        nonce, token, since, holder = text.split("|", 3)
        return LeaseRecord(nonce, int(token), holder, int(since), remaining_ms)
    if original and not original.startswith(ORIGINAL_OURS):
        return LeaseRecord("", 0, original, 0, original_ms)
    return None


def read_inspection(reply: list[bytes | int]) -> Inspection:
    """The answer of `inspect.lua`."""
    lease, left, marker_text, original, original_left = reply
    return Inspection(read_lease(_text(lease), int(left), _text(original), int(original_left)), read_marker(_text(marker_text)))


def _text(value: bytes | int) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
