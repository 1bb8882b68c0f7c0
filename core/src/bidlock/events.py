"""Facts about locks, published to observers and to the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened to the lock of one posting.

    Attributes:
        marketplace: The posting's marketplace.
        posting_id: The posting's id.
        mode: The attempt's mode.
        holder: Who attempted.
    """

    marketplace: str
    posting_id: str
    mode: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquired(Event):
    """A lease was acquired; `waited` in seconds."""

    token: int
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedEvent(Event):
    """An attempt ended without a bid or a lease."""

    reason: str
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Event):
    """A lease got a full TTL again."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Event):
    """A lease was lost while it was held."""

    token: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    """A lease was released by its holder; `held` in seconds."""

    token: int
    held: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Event):
    """A posting was claimed for good: its marker stands, the bid comes next."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Event):
    """What became of the bid was written into the marker."""

    token: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Event):
    """A human released somebody else's lease by force."""

    by: str
    reason: str
    token: int
