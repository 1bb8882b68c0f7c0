"""The bidders of one act: each has a place, and a killed one is replaced."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Sequence

from bidlock_demo.children import Child, Event, all_of
from bidlock_demo.tally import Act

PASSING = frozenset({"held", "unreachable", "closed", "busy", "mode", "lost"})
"""Reasons after which a bidder tries again; any other one settles the posting for it."""

_NO_BIDS = frozenset({"locked", "passed over"})
"""What the seed's way calls a try without a bid."""

Start = Callable[[int, Callable[[Event], None]], Awaitable[Child]]
"""Starts the bidder of a place (from 0), which reports to the callback."""

Disturbance = tuple[float, Callable[[], Awaitable[None]]]
"""What to do to the fleet when a share of the postings, 0 to 1, is settled."""


class Fleet:
    """Bidders at work over one feed.

    Args:
        act: Where their outcomes are counted.
        start: Starts one.
    """

    def __init__(self, act: Act, start: Start) -> None:
        self._act = act
        self._start = start
        self._at_work: dict[int, Child] = {}
        self._places: list[asyncio.Task[None]] = []
        self._moved = asyncio.Event()

    async def man(self, places: range) -> None:
        """Start a bidder for each place; return when all of them are at work, or through already."""
        manned = [asyncio.create_task(self._keep(place)) for place in places]
        self._places += manned
        await self._until(lambda: all(self._ready(place) or task.done() for place, task in zip(places, manned, strict=True)))

    async def work(self, disturbances: Sequence[Disturbance] = ()) -> None:
        """Return when every bidder is through with the feed; disturbances that did not come to pass by then are left out."""
        working = asyncio.create_task(all_of(self._places))
        disturbing = asyncio.create_task(self._disturb(disturbances))
        try:
            await asyncio.wait({working, disturbing}, return_when=asyncio.FIRST_COMPLETED)
            if disturbing.done():
                await disturbing  # raises what went wrong with it
            await working
            self._moved.set()
            await disturbing
        finally:
            await _cancel(working, disturbing)

    async def dismiss(self) -> None:
        """Stop caring for the bidders; whoever started them ends them."""
        await _cancel(*self._places)

    async def kill_one(self, rng: random.Random) -> None:
        """SIGKILL one of the bidders at work, if there is any."""
        victims = [child for child in self._at_work.values() if child.started and not child.killed]
        if victims:
            rng.choice(victims).kill()
            self._act.kills += 1

    async def _disturb(self, disturbances: Sequence[Disturbance]) -> None:
        for share, disturb in sorted(disturbances, key=lambda disturbance: disturbance[0]):
            await self._until(functools.partial(self._reached, share))
            if self._over():
                return
            await disturb()

    async def _keep(self, place: int) -> None:
        try:
            while True:
                child = await self._start(place, self._hear)
                self._at_work[place] = child
                await child.wait()
                if not child.killed:
                    return
        finally:
            self._at_work.pop(place, None)
            self._moved.set()

    def _hear(self, event: Event) -> None:
        key = (event.get("marketplace", ""), event.get("id", ""))
        match event.get("event"):
            case "bid" if event["result"] in _NO_BIDS:
                self._act.skips[event["result"]] += 1
            case "bid":
                self._act.settled.add(key)
                if mode := event.get("mode"):
                    self._act.modes[mode] += 1
            case "skipped":
                self._act.skips[event["reason"]] += 1
                if event["reason"] not in PASSING:
                    self._act.settled.add(key)
        self._moved.set()

    def _ready(self, place: int) -> bool:
        return place in self._at_work and self._at_work[place].started

    def _reached(self, share: float) -> bool:
        return self._over() or len(self._act.settled) >= share * self._act.postings

    def _over(self) -> bool:
        return all(task.done() for task in self._places)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._moved.clear()
            await self._moved.wait()


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
