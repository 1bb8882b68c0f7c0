"""One posting, one bid. This is all a bot needs of bidlock."""

from __future__ import annotations

import time

import bidlock
from example_bidder.feed import Job
from example_bidder.marketplace import Marketplace
from example_bidder.telemetry import Metrics


async def bid(
    locks: bidlock.Locks, marketplace: Marketplace, metrics: Metrics, job: Job, amount: float
) -> bidlock.Placed[int] | bidlock.Skipped:
    """Bid on the posting, unless any bidder of the fleet ever did or is about to."""
    asked = time.monotonic()

    async def place(lease: bidlock.Lease) -> int:
        metrics.lock.observe(time.monotonic() - asked)
        return await marketplace.place(job, amount, lease.token)

    return await locks.bid_once(job.marketplace, job.id, place, posted_at=job.posted_at)
