"""The bot: workers between the feed and the marketplace."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

import aiohttp
import structlog

import bidlock
from example_bidder import bidding, pricing
from example_bidder.feed import Broken, Job
from example_bidder.marketplace import Marketplace
from example_bidder.retrying import TRANSIENT, Backoff
from example_bidder.telemetry import Metrics
from example_bidder.worklist import Worklist

log = structlog.get_logger()

OPEN_PER_WORKER = 100
"""How far the feed is read ahead, while postings wait for another try."""


class Bot:
    """Works through a feed until it ends or `stop` is called.

    Args:
        locks: What keeps the fleet from bidding twice.
        marketplace: Where bids go.
        concurrency: How many postings are worked on at a time.
        backoff: Pauses between two tries of one posting.
        metrics: Where it counts.
    """

    def __init__(self, locks: bidlock.Locks, marketplace: Marketplace, *, concurrency: int, backoff: Backoff, metrics: Metrics) -> None:
        self._locks = locks
        self._marketplace = marketplace
        self._concurrency = concurrency
        self._backoff = backoff
        self._metrics = metrics
        self._worklist = Worklist(concurrency * OPEN_PER_WORKER)

    async def run(self, feed: AsyncIterator[Job | Broken]) -> None:
        """Bid on every posting; return when none is left, or after `stop` when the bids underway are through."""
        feeding = asyncio.create_task(self._feed(feed))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._concurrency):
                    workers.create_task(self._work())
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    def stop(self) -> None:
        """Begin nothing new. What is underway ends: a claimed posting gets its bid."""
        self._worklist.stop()

    async def _feed(self, feed: AsyncIterator[Job | Broken]) -> None:
        try:
            async for item in feed:
                if isinstance(item, Job):
                    await self._worklist.add(item)
                else:
                    self._metrics.broken.inc()
                    log.warning("broken line", number=item.number, reason=item.reason, line=item.line)
        finally:
            self._worklist.fed()

    async def _work(self) -> None:
        while task := await self._worklist.take():
            task.tries += 1
            if await self._settled(task.job):
                self._worklist.done()
            else:
                self._worklist.again(task, self._backoff.pause(task.tries, random.random()))

    async def _settled(self, job: Job) -> bool:
        """Try to bid; whether the posting needs no further try."""
        amount = pricing.amount(job)
        if amount is None:
            self._skipped(job, "budget")
            return True
        outcome = await self._bid(job, amount)
        if isinstance(outcome, bidlock.Skipped):
            self._skipped(job, outcome.reason, outcome.detail)
            return outcome.reason not in TRANSIENT
        return True

    async def _bid(self, job: Job, amount: float) -> bidlock.Placed[int] | bidlock.Skipped | None:
        started = time.monotonic()
        try:
            outcome = await bidding.bid(self._locks, self._marketplace, self._metrics, job, amount)
        except bidlock.BidRejected as error:
            self._bidden(job, "rejected", detail=str(error))
        except (aiohttp.ClientError, TimeoutError) as error:
            # The bid may stand, so nobody tries again; a human who finds out may bid by hand.
            self._bidden(job, "unknown", detail=repr(error))
        except bidlock.InvalidPosting as error:
            self._skipped(job, "invalid", str(error))
        else:
            if isinstance(outcome, bidlock.Placed):
                self._bidden(
                    job,
                    "placed",
                    mode=self._locks.mode.name,
                    amount=amount,
                    token=outcome.token,
                    seconds=round(time.monotonic() - started, 4),
                )
            return outcome
        return None

    def _bidden(self, job: Job, result: str, **facts: object) -> None:
        self._metrics.bids.labels(result).inc()
        log.info("bid", result=result, marketplace=job.marketplace, id=job.id, **facts)

    def _skipped(self, job: Job, reason: str, detail: str = "") -> None:
        self._metrics.skips.labels(reason).inc()
        log.info("skipped", reason=str(reason), marketplace=job.marketplace, id=job.id, detail=detail)
