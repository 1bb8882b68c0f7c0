"""The HTTP side: `POST /bids`, `GET /stats`, `GET /healthz`."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from example_marketplace.journal import Journal
from example_marketplace.ledger import BadBid, Bid, Ledger, parse


@dataclass(frozen=True)
class Marketplace:
    """The handlers.

    Attributes:
        ledger: Where bids are counted.
        record: Called with every accepted bid before it is answered.
        latency: Longest time an answer takes, seconds; each takes from a quarter of it up.
    """

    ledger: Ledger
    record: Callable[[Bid], None]
    latency: float = 0.0

    def application(self) -> web.Application:
        """The routes as an aiohttp application."""
        app = web.Application()
        app.add_routes([web.post("/bids", self.bid), web.get("/stats", self.stats), web.get("/healthz", self.healthz)])
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

    async def stats(self, request: web.Request) -> web.Response:  # noqa: ARG002 — aiohttp passes it
        """What was counted so far."""
        return web.json_response(self.ledger.stats())

    async def healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002 — aiohttp passes it
        """Answer while the process lives."""
        return web.Response(text="ok\n")


def journaled(ledger: Ledger, journal: Journal | None, *, latency: float = 0.0) -> Marketplace:
    """A marketplace over a ledger, with or without a journal."""
    return Marketplace(ledger, journal.append if journal else _forget, latency)


def _forget(bid: Bid) -> None:
    """Keep no journal."""
