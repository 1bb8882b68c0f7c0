"""The last act: the fleet walks from SQLite to Redis and back while it bids, under kill -9 of bidders, controller and Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bidlock.migration.registerfile import RegisterFile
from bidlock_demo import acts
from bidlock_demo.acts import Stage
from bidlock_demo.children import Child, Event
from bidlock_demo.fleet import Disturbance, Fleet
from bidlock_demo.market import market
from bidlock_demo.tally import Act

TTL, MARGIN = acts.LEASE["BIDLOCK_TTL"], acts.LEASE["BIDLOCK_MARGIN"]
"""Seconds. The walk waits for one TTL twice; in production it is minutes."""

CALLED = {"sqlite": "SQLite", "dual": "Dual", "strict": "Strict", "primary": "RedisPrimary", "only": "RedisOnly"}

KILLED_AT = ("strict", "primary")
"""The controller is killed once when the fleet leaves for each of these."""


class Conductor:
    """Keeps one controller at work, and knows where the fleet is.

    Args:
        stage: Starts processes.
        act: Gets the phases.
        directory: For the register.
        stores: URLs of origin and target.
    """

    def __init__(self, stage: Stage, act: Act, directory: Path, stores: tuple[str, str]) -> None:
        self._stage = stage
        self._act = act
        self._stores = stores
        self._child: Child | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._resting = False
        self._arrived = asyncio.Event()
        self.opened = asyncio.Event()
        """Set whenever the controller has opened a restarted Redis."""
        self._spared = set(KILLED_AT)
        self.register = RegisterFile(directory / "register.json")

    async def go(self, goal: str) -> None:
        """Return when the fleet has arrived; the controller stays and guards it. A killed one is replaced and goes on."""
        await self.rest()
        self._arrived.clear()
        self._keeping = asyncio.create_task(self._keep(goal))
        arriving = asyncio.create_task(self._arrived.wait())
        try:
            await asyncio.wait({self._keeping, arriving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arriving.cancel()
        if self._keeping.done():
            await self._keeping  # raises what ended it

    async def rest(self) -> None:
        """End the controller."""
        keeping, self._keeping = self._keeping, None
        if keeping and self._child:
            self._resting = True
            self._child.kill()
            await keeping
        self._resting = False

    async def _keep(self, goal: str) -> None:
        """One controller after the other, until it may rest."""
        while not self._resting:
            self._child = await self._stage.nursery.start("bidlock_demo.controlling", *self._arguments(goal), on_event=self._hear)
            await self._child.wait()

    def _arguments(self, goal: str) -> tuple[str, ...]:
        origin, target = self._stores
        stores = ("--register", str(self.register.path), "--origin", origin, "--target", target)
        return (*stores, "--goal", goal, "--watch", "--ttl-max", TTL, "--margin", MARGIN)

    def _hear(self, event: Event) -> None:
        match event.get("event"):
            case "arrived":
                self._show(CALLED[event["mode"]])
                self._arrived.set()
            case "step":
                between = dict.fromkeys((CALLED[event["source"]], CALLED[event["to"]]))
                self._show("→".join(between), event["authority"])
                if event["action"] == "Bless":
                    self.opened.set()
                self._strike(event)

    def _show(self, where: str, authority: str = "") -> None:
        if where != self._act.where:
            self._act.where = where
            self._stage.say(f"the fleet is at {where}" + (f", authority {authority}" if authority else ""))
        self._act.phases_seen.update(name for name in CALLED.values() if name in where.split("→"))

    def _strike(self, event: Event) -> None:
        if event["action"] == "Copy" and event["to"] in self._spared and self._child:
            self._spared.discard(event["to"])
            self._child.kill()
            self._act.controller_kills += 1
            self._stage.say("kill -9 of the controller in mid-walk; another one goes on")


async def walk(stage: Stage, act: Act) -> None:
    """SQLite to RedisOnly and back to SQLite; bidders work all the time, in whatever mode the controller says."""
    directory = stage.files(act)
    with acts.redis(directory) as server:
        conductor = Conductor(stage, act, directory, (f"sqlite:///{directory / 'bids.db'}", server.url))
        act.begin()
        await conductor.go("sqlite")
        environment = _environment(conductor, directory, server.url)
        async with market(stage.nursery, directory) as counting:

            async def start(place: int, hear: Callable[[Event], None]) -> Child:
                return await stage.bidder(directory, place, environment, counting.url, hear, slow=True)

            async with acts.fleet(act, start, counting) as crew:
                await crew.man(range(stage.bidders))
                walking = asyncio.create_task(_there_and_back(stage, act, conductor, server))
                await crew.work(_disturbances(stage, crew, walking))
                await walking
                await conductor.rest()
            act.without_bid.update(await acts.without_bid(stage.feed, counting, environment))


def _environment(conductor: Conductor, directory: Path, redis_url: str) -> dict[str, str]:
    kept = conductor.register.read()
    return {
        "BIDLOCK_POLICY": kept.owner if kept else "",
        "BIDLOCK_SQLITE_URL": f"sqlite:///{directory / 'bids.db'}",
        "BIDLOCK_REDIS_URL": redis_url,
        "BIDLOCK_MODE_FILE": str(conductor.register.mode_path),
        **acts.LEASE,
        "BIDLOCK_PLUGINS": "redis,sqlite",
    }


async def _there_and_back(stage: Stage, act: Act, conductor: Conductor, server: Any) -> None:
    await conductor.go("only")
    act.walks += 1
    conductor.opened.clear()
    await asyncio.to_thread(server.kill)
    stage.say("kill -9 of Redis while it alone decides")
    await asyncio.sleep(acts.OUTAGE)
    await asyncio.to_thread(server.restart)
    act.redis_restarts += 1
    stage.say("Redis is back")
    await conductor.opened.wait()
    stage.say("the controller has opened Redis again, with its leases")
    await conductor.go("sqlite")
    act.walks += 1


def _disturbances(stage: Stage, crew: Fleet, walking: asyncio.Task[None]) -> list[Disturbance]:
    async def see_it_through() -> None:
        await walking

    return [*acts.kills(stage, crew), (0.95, see_it_through)]
