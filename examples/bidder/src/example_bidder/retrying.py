"""Which skipped postings are tried again, and when. Pure."""

from __future__ import annotations

from typing import NamedTuple

import bidlock

TRANSIENT = bidlock.TRANSIENT | {bidlock.SkipReason.LOST}
"""Reasons that pass: another bidder holds the posting and may die before it bids, the store is away for a while …

Every other reason is final: the posting has its bid, or this bidder is not configured for the store.
"""


class Backoff(NamedTuple):
    """Pauses between two tries of one posting, seconds.

    Attributes:
        first: Before the second try; doubled for each further one.
        longest: No pause is longer.
    """

    first: float = 0.25
    longest: float = 5.0

    def pause(self, tries: int, luck: float) -> float:
        """Seconds to wait after so many tries; `luck` from 0 to 1 spreads bidders that were skipped together."""
        return min(self.longest, self.first * 2.0 ** min(tries - 1, 32)) * (0.5 + luck / 2)
