"""The marketplace's HTTP interface, as far as a bidder needs it."""

from __future__ import annotations

import asyncio

import aiohttp

import bidlock
from example_bidder.feed import Job

NOT_REACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""No connection was made, so nothing was sent: no bid stands."""

CONNECT_TIMEOUT = 2.0
"""Seconds for one connection."""

REACH_AGAIN = 0.25
"""Seconds until the next try to connect."""


class Marketplace:
    """Places bids. Use as an async context manager.

    Args:
        url: Where the marketplace listens.
        bidder: Name under which it bids.
        timeout: Longest time for one bid, seconds, however often it has to connect; shorter than the lease, see `settings.check`.
    """

    def __init__(self, url: str, bidder: str, timeout: float) -> None:
        self._url = url.rstrip("/")
        self._bidder = bidder
        self._timeout = timeout

    async def __aenter__(self) -> Marketplace:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT))
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    async def place(self, job: Job, amount: float, token: int) -> int:
        """Place one bid and return the marketplace's number for it. The marketplace is out of reach: try again, for the posting is claimed.

        Raises:
            bidlock.BidRejected: the marketplace refused it, for certain.
            aiohttp.ClientError, TimeoutError: nobody knows whether the bid stands.
        """
        bid = {"marketplace": job.marketplace, "id": job.id, "bidder": self._bidder, "amount": amount, "token": token}
        unreached: Exception | None = None
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    unreached = None
                    try:
                        return await self._post(bid)
                    except NOT_REACHED as error:
                        unreached = error
                    await asyncio.sleep(REACH_AGAIN)
        except TimeoutError:
            raise unreached or TimeoutError("no answer in time") from None

    async def _post(self, bid: dict[str, object]) -> int:
        async with self._session.post(f"{self._url}/bids", json=bid) as answer:
            if 400 <= answer.status < 500:
                raise bidlock.BidRejected(await answer.text())
            answer.raise_for_status()
            return int((await answer.json())["bid"])
