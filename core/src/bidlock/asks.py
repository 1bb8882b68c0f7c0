"""What one call wants, checked."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from bidlock.errors import ConfigurationError
from bidlock.postings import Posting
from bidlock.settings import is_duration

PostedAt = datetime.datetime | float | None
"""The marketplace's own creation stamp: an aware datetime, or Unix seconds."""


class Ask(NamedTuple):
    """One call's wish.

    Attributes:
        posting: What it is about.
        ttl_ms: How long the lease lives without renewal, milliseconds.
        posted_at_ms: The posting's creation stamp, Unix milliseconds; 0 for none.
        timeout: How long to wait for it, seconds.
        max_hold: How long to renew at most, seconds.
        bids: Whether the caller means to claim the posting, not to hold the bare lock.
    """

    posting: Posting
    ttl_ms: int
    posted_at_ms: int
    timeout: float
    max_hold: float
    bids: bool = False


def check_duration(name: str, value: float) -> None:
    """Refuse what is no number of seconds, 0 or more; infinity is one.

    Raises:
        ConfigurationError: names the argument.
    """
    if not is_duration(value):
        raise ConfigurationError(f"{name} must be 0 seconds or more, not {value!r}")


def ttl_milliseconds(ttl: float) -> int:
    """A TTL in milliseconds.

    Raises:
        ConfigurationError: it is no finite number of seconds above 0.
    """
    if not (is_duration(ttl) and 0 < ttl < float("inf") and (in_ms := round(ttl * 1000))):
        raise ConfigurationError(f"ttl must be more than 0 seconds (and less than for ever), not {ttl!r}")
    return in_ms


def milliseconds(posted_at: PostedAt) -> int:
    """Unix milliseconds of a creation stamp; 0 for none.

    Raises:
        ConfigurationError: a datetime without a zone (every pod must read the same moment), or no moment at all.
    """
    if posted_at is None:
        return 0
    if isinstance(posted_at, datetime.datetime):
        if posted_at.tzinfo is None:
            raise ConfigurationError(
                "posted_at has no time zone and would mean another moment elsewhere; give an aware datetime or Unix seconds"
            )
        posted_at = posted_at.timestamp()
    if not isinstance(posted_at, (int, float)) or not 0 < posted_at < 10**11:
        raise ConfigurationError(f"posted_at {posted_at!r} is no moment; give an aware datetime or Unix seconds")
    return round(posted_at * 1000)
