"""The marketplace's HTTP interface, as far as a bidder needs it."""

from __future__ import annotations

import aiohttp

import bidlock
from example_bidder.feed import Job


class Marketplace:
    """Places bids. Use as an async context manager.

    Args:
        url: Where the marketplace listens.
        bidder: Name under which it bids.
        timeout: Longest time for one bid, seconds; shorter than the lease, see `settings.check`.
    """

    def __init__(self, url: str, bidder: str, timeout: float) -> None:
        self._url = url.rstrip("/")
        self._bidder = bidder
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def __aenter__(self) -> Marketplace:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    async def place(self, job: Job, amount: float, token: int) -> int:
        """Place one bid and return the marketplace's number for it.

        Raises:
            bidlock.BidRejected: the marketplace refused it, for certain.
            aiohttp.ClientError, TimeoutError: nobody knows whether the bid stands.
        """
        bid = {"marketplace": job.marketplace, "id": job.id, "bidder": self._bidder, "amount": amount, "token": token}
        async with self._session.post(f"{self._url}/bids", json=bid) as answer:
            if 400 <= answer.status < 500:
                raise bidlock.BidRejected(await answer.text())
            answer.raise_for_status()
            return int((await answer.json())["bid"])
