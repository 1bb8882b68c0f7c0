"""The first three acts: the seed's way, bidlock over SQLite, bidlock over Redis. Real processes, real signals."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bidlock
from bidlock.backend import MarkerState
from bidlock_demo.children import Child, Event, Nursery
from bidlock_demo.feed import Feed
from bidlock_demo.fleet import Disturbance, Fleet, Start
from bidlock_demo.market import LATENCY, Market, market
from bidlock_demo.tally import Act
from bidlock_redis.testing import servers

LEASE = {"BIDLOCK_TTL": "3", "BIDLOCK_MARGIN": "0.3", "BIDLOCK_REACH_TIMEOUT": "1"}
"""Short leases, so that the postings of a killed bidder are free again soon. In production they are minutes."""

BIDDER = ("--port", "-1", "--concurrency", "2", "--bid-timeout", "2", "--longest-pause", "0.5")
"""Each works on two postings at a time, so that the fleet is busy for some seconds."""

SLOWLY = ("--concurrency", "1")
"""So that the fleet is busy for as long as it walks."""

KILLS = 6
"""Bidders that are killed in each of bidlock's acts."""

OUTAGE = 0.3
"""How long Redis stays dead after its SIGKILL, seconds, before it is started again."""

LOOK = 0.25
"""Seconds between two looks at the marketplace's count while an act runs."""


@dataclass(frozen=True)
class Stage:
    """What every act needs.

    Attributes:
        feed: The postings.
        bidders: How many bid at a time.
        rng: Decides about the order of each bidder's feed, and about kills.
        directory: For all files.
        nursery: Starts processes.
        say: Tells the audience what happens, one sentence.
    """

    feed: Feed
    bidders: int
    rng: random.Random
    directory: Path
    nursery: Nursery
    say: Callable[[str], None]

    def files(self, act: Act) -> Path:
        """A folder for one act, with a feed for each bidder in its own order."""
        directory = self.directory / act.name
        directory.mkdir()
        for place in range(self.bidders):
            (directory / f"feed-{place}.jsonl").write_bytes(b"\n".join(self.feed.order(self.rng)) + b"\n")
        return directory

    async def bidder(
        self, directory: Path, place: int, environment: Mapping[str, str], url: str, hear: Callable[[Event], None], *, slow: bool = False
    ) -> Child:
        """Start a bidder that bids through bidlock; a slow one works on one posting at a time."""
        own = ("--feed", str(directory / f"feed-{place}.jsonl"), "--name", f"bidder-{place + 1}", "--marketplace", url)
        return await self.nursery.start("example_bidder", *own, *BIDDER, *(SLOWLY if slow else ()), environment=environment, on_event=hear)


async def seed_way(stage: Stage, act: Act) -> None:
    """Half of the bidders start while Redis is away for a moment, and fall back to SQLite, as they were told to."""
    directory = stage.files(act)
    with redis(directory) as server:
        async with market(stage.nursery, directory) as counting:

            async def start(place: int, hear: Callable[[Event], None]) -> Child:
                own = ("--feed", str(directory / f"feed-{place}.jsonl"), "--name", str(place + 1), "--marketplace", counting.url)
                stores = ("--redis", server.url, "--database", str(directory / "tasks.db"))
                return await stage.nursery.start("bidlock_demo.seed_way", *own, *stores, on_event=hear)

            async with fleet(act, start, counting) as crew:
                early = (stage.bidders + 1) // 2
                await crew.man(range(early))
                server.kill()
                stage.say(f"Redis is away for a moment; {early} bidders use it already, {stage.bidders - early} start now")
                await crew.man(range(early, stage.bidders))
                await asyncio.to_thread(server.restart)
                act.redis_restarts += 1
                stage.say("Redis is back; the late bidders go on with SQLite")
                await crew.work()
            act.causes.update(_causes(await counting.stats()))
            if missing := act.postings - len(counting.postings()):
                act.without_bid["skipped"] = missing


async def over_sqlite(stage: Stage, act: Act) -> None:
    """One shared file; bidders are killed at work."""
    directory = stage.files(act)
    await _guarded(stage, act, directory, "sqlite", f"sqlite:///{directory / 'bids.db'}", kills)


async def over_redis(stage: Stage, act: Act) -> None:
    """A real server; bidders are killed at work, and so is the server."""
    directory = stage.files(act)
    with redis(directory) as server:

        async def strike() -> None:
            await asyncio.to_thread(server.kill)
            stage.say("kill -9 of Redis")
            await asyncio.sleep(OUTAGE)
            await asyncio.to_thread(server.restart)
            act.redis_restarts += 1
            stage.say("Redis is back")

        def disturbances(stage: Stage, crew: Fleet) -> list[Disturbance]:
            return [*kills(stage, crew), (0.5, strike)]

        await _guarded(stage, act, directory, "redis", server.url, disturbances)


async def _guarded(
    stage: Stage, act: Act, directory: Path, plugin: str, url: str, disturbances: Callable[[Stage, Fleet], Sequence[Disturbance]]
) -> None:
    environment = {**LEASE, "BIDLOCK_URL": url, "BIDLOCK_PLUGINS": plugin}  # a bidder that loads one plugin starts faster
    async with market(stage.nursery, directory) as counting:

        async def start(place: int, hear: Callable[[Event], None]) -> Child:
            return await stage.bidder(directory, place, environment, counting.url, hear)

        async with fleet(act, start, counting) as crew:
            await crew.man(range(stage.bidders))
            await crew.work(disturbances(stage, crew))
        act.without_bid.update(await without_bid(stage.feed, counting, environment))


def kills(stage: Stage, crew: Fleet) -> list[Disturbance]:
    """Bidders killed at random while the feed is worked through."""

    async def kill() -> None:
        await asyncio.sleep(stage.rng.uniform(0, LATENCY))  # in any moment of a bid
        await crew.kill_one(stage.rng)
        stage.say("kill -9 of a bidder; another one takes its place")

    return [(stage.rng.uniform(0.05, 0.9), kill) for _ in range(KILLS)]


@asynccontextmanager
async def fleet(act: Act, start: Start, counting: Market) -> AsyncIterator[Fleet]:
    """The bidders of an act, and its count."""
    act.begin()
    crew = Fleet(act, start)
    watching = asyncio.create_task(_watch(act, counting))
    try:
        yield crew
        act.count(await counting.stats())
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await crew.dismiss()
    act.end()


async def _watch(act: Act, counting: Market) -> None:
    while True:
        await asyncio.sleep(LOOK)
        act.count(await counting.stats())


@contextmanager
def redis(directory: Path) -> Any:
    """A server of the act's own."""
    with servers.start(directory=directory / "redis") as server:
        yield server


async def without_bid(feed: Feed, counting: Market, environment: Mapping[str, str]) -> Counter[str]:
    """Why postings have no bid, from the store itself."""
    async with bidlock.connect(environment=environment) as locks:
        return Counter([await _why(locks, *key) for key in feed.postings - counting.postings()])


async def _why(locks: bidlock.Locks, marketplace: str, posting_id: str) -> str:
    try:
        marker = (await locks.inspect(marketplace, posting_id)).marker
    except bidlock.InvalidPosting:
        return "invalid"
    if marker is None:
        return "passed over"
    return "burnt" if marker.state is MarkerState.CLAIMED else marker.state.value


def _causes(stats: Mapping[str, Any]) -> dict[str, int]:
    """Duplicates of the seed's way by cause: as many as stores took part, and all others came after a release."""
    stores = sum(len({bid["bidder"].partition(":")[0] for bid in doubled["bids"]}) - 1 for doubled in stats["details"])
    causes = {"two stores": stores, "bid again after release": stats["duplicates"] - stores}
    return {cause: count for cause, count in causes.items() if count}
