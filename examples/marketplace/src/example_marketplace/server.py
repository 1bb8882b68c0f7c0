"""The HTTP side: `POST /bids`, `GET /postings`, `GET /stats`, `GET /healthz`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from example_marketplace.feed import Feed
from example_marketplace.journal import Journal
from example_marketplace.ledger import BadBid, Bid, Ledger, parse


@dataclass(frozen=True)
class Marketplace:
    """The handlers.

    Attributes:
        ledger: Where bids are counted.
        record: Called with every accepted bid before it is answered.
        latency: Longest time an answer takes, seconds; each takes from a quarter of it up.
        feed: The postings on offer; None for none.
    """

    ledger: Ledger
    record: Callable[[Bid], None]
    latency: float = 0.0
    feed: Feed | None = None

    def application(self) -> web.Application:
        """The routes as an aiohttp application."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/bids", self.bid),
                web.get("/postings", self.postings),
                web.get("/stats", self.stats),
                web.get("/healthz", self.healthz),
            ]
        )
        return app

    async def bid(self, request: web.Request) -> web.Response:
        """Accept a bid with 201, a duplicate too: real marketplaces charge for it. 422 when the posting takes none."""
        try:
            bid = parse(await request.json())
        except (BadBid, json.JSONDecodeError, UnicodeDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if self.ledger.refuses(bid):
            return web.json_response({"error": "the posting takes no more bids"}, status=422)
        # A bid that has arrived stands, also when its bidder dies before the answer.
        number = self.ledger.accept(bid)
        self.record(bid)
        await asyncio.sleep(random.uniform(self.latency / 4, self.latency))
        return web.json_response({"bid": number}, status=201)

    async def postings(self, request: web.Request) -> web.StreamResponse:
        """The feed as JSON lines: those after the first `after`, or the `last` ones; the header `After` says how many were left out.

        With `follow=1` the answer goes on as the feed grows.
        """
        if self.feed is None:
            return web.Response(text="this marketplace was started without --feed\n", status=404)
        try:
            after = _left_out(request.query, self.feed)
        except ValueError:
            return web.Response(text="after and last must be numbers of postings\n", status=400)
        answer = web.StreamResponse(headers={"Content-Type": "application/jsonl", "After": str(after)})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the reader went away
            async for line in self.feed.lines(after, follow=request.query.get("follow") == "1"):
                await answer.write(line)
        return answer

    async def stats(self, request: web.Request) -> web.Response:  # noqa: ARG002 — aiohttp passes it
        """What was counted so far; with a feed also the postings offered."""
        offered = {"offered": self.feed.count()} if self.feed else {}
        return web.json_response(self.ledger.stats() | offered)

    async def healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002 — aiohttp passes it
        """Answer while the process lives."""
        return web.Response(text="ok\n")


def journaled(ledger: Ledger, journal: Journal | None, *, latency: float = 0.0, feed: Feed | None = None) -> Marketplace:
    """A marketplace over a ledger, with or without a journal and a feed."""
    return Marketplace(ledger, journal.append if journal else _forget, latency, feed)


def _left_out(query: Mapping[str, str], feed: Feed) -> int:
    if "after" in query or "last" not in query:
        return int(query.get("after", "0"))
    return max(0, feed.count() - int(query["last"]))


def _forget(bid: Bid) -> None:
    """Keep no journal."""
