"""What to ask for. Replace it with what your bot knows."""

from __future__ import annotations

from example_bidder.feed import Job

SHARE = 0.85
"""Part of the budget that is asked for."""

LEAST = 10.0
"""A budget below this is not worth a proposal."""


def amount(job: Job) -> float | None:
    """The amount to bid, or None to let the posting pass."""
    return round(job.budget * SHARE, 2) if LEAST <= job.budget < float("inf") else None
