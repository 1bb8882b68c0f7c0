"""What happens to a fleet in a soak: drawn from a seeded random, one after the other."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from bidlock_soak.fleet import LOOK, Fleet
from bidlock_soak.journal import Journal
from bidlock_soak.seal import Seal

from bidlock.modes import Role
from bidlock.testing.proxy import Direction

PAUSES = (0.3, 1.2)
"""Seconds between two faults, at least and at most."""


class Faults:
    """Strikes until stopped; each fault is over before the next one."""

    def __init__(self, fleet: Fleet, journal: Journal, rng: random.Random) -> None:
        self._fleet = fleet
        self._journal = journal
        self._rng = rng
        self._stopped = False
        self._kinds: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "bidder killed": (5, self._kill_bidder),
            "bidder stopped beyond its TTL": (3, self._stop_bidder),
            "controller killed": (3, self._kill_walker),
            "controller stopped": (1, self._stop_walker),
            "second controller": (1, self._second_controller),
            "Redis killed": (3, self._kill_redis),
            "Redis stopped under a seal": (1, self._stop_redis),
            "connections cut": (3, self._cut),
            "replies held back": (1, self._hold),
            "connections slow": (2, self._delay),
        }

    def stop(self) -> None:
        """Let no fault follow the present one."""
        self._stopped = True

    async def strike(self) -> None:
        """Until told to stop, and the last fault is over."""
        weights = [weight for weight, _ in self._kinds.values()]
        while not self._stopped:
            await asyncio.sleep(self._rng.uniform(*PAUSES))
            (kind,) = self._rng.choices(list(self._kinds), weights)
            self._journal.note("fault", kind=kind, at=time.monotonic())
            await self._kinds[kind][1]()

    async def _kill_bidder(self) -> None:
        self._fleet.kill_bidder()

    async def _stop_bidder(self) -> None:
        await self._fleet.pause_bidder(self._rng.uniform(0.7, 1.5))

    async def _kill_walker(self) -> None:
        self._fleet.kill_walker()

    async def _stop_walker(self) -> None:
        await self._fleet.pause_walker(self._rng.uniform(0.3, 1.5))

    async def _second_controller(self) -> None:
        await self._fleet.second_controller()

    async def _kill_redis(self) -> None:
        server, deciding = self._fleet.place.server, self._fleet.authority() is Role.TARGET
        start = time.monotonic()
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(self._rng.uniform(0.0, 0.4))
        await asyncio.to_thread(server.launch)
        still = deciding and self._fleet.authority() is Role.TARGET
        self._journal.note("outage", start=start, end=time.monotonic(), deciding=still)

    async def _stop_redis(self) -> None:
        """As an operator would: seal, stop, start, go on. From the wish for the seal until it is taken back nobody is to bid."""
        server, seal, start = self._fleet.place.server, Seal(self._fleet.place.register.path), time.monotonic()
        seal.wish()
        while not seal.stoppable.exists():
            await asyncio.sleep(LOOK)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.launch)
        seal.take_back()
        self._journal.note("outage", start=start, end=time.monotonic(), deciding=False)

    async def _cut(self) -> None:
        proxy = self._fleet.place.proxy
        proxy.cut(self._rng.choice(list(Direction)), after=self._rng.randrange(1, 4000))
        await asyncio.sleep(self._rng.uniform(0.1, 0.5))
        proxy.mend()

    async def _hold(self) -> None:
        """As good as an outage, for whoever waits for Redis."""
        proxy, start = self._fleet.place.proxy, time.monotonic()
        proxy.hold()
        try:
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
        finally:
            proxy.flow()
            self._journal.note("outage", start=start, end=time.monotonic(), deciding=False)

    async def _delay(self) -> None:
        proxy = self._fleet.place.proxy
        proxy.delay = self._rng.uniform(0.005, 0.05)
        try:
            await asyncio.sleep(self._rng.uniform(0.5, 2.0))
        finally:
            proxy.delay = 0.0
