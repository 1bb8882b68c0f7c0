"""What became of one attempt to bid: values, to be matched on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SkipReason(enum.StrEnum):
    """Why a posting was not bid on; the list is closed."""

    HELD = "held"
    """Another bidder holds the posting."""
    ALREADY_BID = "already_bid"
    """The posting was claimed before; nobody bids on it again."""
    CLOSED = "closed"
    """The store is not initialised, or restarted and not opened again yet."""
    MODE = "mode"
    """The store does not admit this client's mode now; the fleet is changing phase."""
    DOMAIN = "domain"
    """This client has another SQLite file open than the fleet's."""
    OWNER = "owner"
    """The store belongs to another policy."""
    FORMAT = "format"
    """The store's layout differs from what this version of bidlock writes."""
    UNREACHABLE = "unreachable"
    """A store did not answer in time."""
    LOST = "lost"
    """The lease was lost before the posting was claimed."""
    BUSY = "busy"
    """A stranger keeps the SQLite file locked."""
    WATERMARK = "watermark"
    """The posting is not provably newer than an accepted loss of data, or carries no `posted_at`."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[Result]):
    """The bid was placed by this caller.

    Attributes:
        result: What `place` returned.
        token: Fencing token under which it was placed.
    """

    result: Result
    token: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """The bid was not placed, and why."""

    reason: SkipReason
    detail: str = ""


class BidRejected(Exception):
    """Raise it in `place` when the marketplace refused the bid for certain; recorded as `rejected` and raised on."""
