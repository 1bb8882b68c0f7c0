"""`make soak`: a fleet bids, walks and is hurt for a while; then its history is checked."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

from bidlock_soak import checker
from bidlock_soak.bidder import Bidder, Witness, sweep
from bidlock_soak.children import Nursery, nursery
from bidlock_soak.faults import Faults
from bidlock_soak.feed import Feed
from bidlock_soak.fleet import TIMES, Fleet, Place, SoakFailed
from bidlock_soak.history import History, told
from bidlock_soak.journal import Journal, Tail, read
from bidlock_soak.walker import ENDS

import bidlock
from bidlock.testing.proxy import Proxy
from bidlock_redis.testing import servers

BEFORE = 20
"""Postings that were bid on in SQLite before any controller came."""

AGAIN = 300
"""How many postings with a bid are offered once more at the end."""

PROGRESS = 5.0
"""Seconds between two lines."""

EXTRA = 120.0
"""Seconds that bidders may take to begin, and two walks to their end when the time is over."""


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def soak(arguments: argparse.Namespace, folder: Path) -> History:
    """The whole soak; its history when it is over.

    Raises:
        SoakFailed: it could not be brought to its end.
    """
    journal = Journal(folder / "soak.jsonl")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os.kill, os.getpid(), signal.SIGINT)
    with nursery(folder) as children:
        async with _place(arguments, folder) as place:
            await _bid_before(place, children)
            rng = random.Random(arguments.seed)
            fleet = Fleet(place, children, journal, rng)
            await fleet.begin()
            await _kept(fleet, _run(fleet, journal, rng, arguments))
            await _kept(fleet, _sweep(fleet, folder))
    return _history(folder)


@contextlib.asynccontextmanager
async def _place(arguments: argparse.Namespace, folder: Path) -> AsyncIterator[Place]:
    with servers.start(directory=folder / "redis") as server:
        async with Proxy(server.host, server.port) as proxy:
            feed = Feed(time.monotonic(), arguments.rate, BEFORE, time.time() - time.monotonic())
            yield Place(folder, arguments.seed, server, proxy, feed, arguments.rest, arguments.faults)


async def _bid_before(place: Place, children: Nursery) -> None:
    """As a fleet that knows of no migration: these bids stand in SQLite only, whatever comes later."""
    journal = Journal(children.journal("earlier"))
    witness, loaded = Witness(journal), bidlock.plugins.load()
    loaded.register(witness, "witness")
    async with bidlock.connect(place.sqlite_url, environment=TIMES, loaded=loaded) as locks:
        await sweep(Bidder(locks, journal, witness, random.Random(place.seed), place.feed), list(range(BEFORE)))


async def _kept(fleet: Fleet, work: Coroutine[object, object, None]) -> None:
    """Do something while whoever is killed is replaced; the first failure of either ends both."""
    keeping, working = asyncio.create_task(fleet.keep()), asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        keeping.cancel()
        working.cancel()
        await asyncio.gather(keeping, working, return_exceptions=True)


async def _run(fleet: Fleet, journal: Journal, rng: random.Random, arguments: argparse.Namespace) -> None:
    """Until the time is over, and a whole walk, too, while everybody bids."""
    folder = fleet.place.folder
    bids, walks = Tail(folder, "*.jsonl", "bid"), Tail(folder, "walker-*.jsonl", "walked")
    faults = Tail(folder, "*.jsonl", "fault")
    await _until(fleet.bids, time.monotonic() + EXTRA, "not every bidder came to bid")
    begun, walked = time.monotonic(), walks.count()
    journal.note("begun", at=begun)
    harm = Faults(fleet, journal, rng)
    striking = asyncio.create_task(harm.strike()) if arguments.faults != "none" else None
    while (passed := time.monotonic() - begun) < arguments.seconds:
        await asyncio.sleep(min(PROGRESS, arguments.seconds - passed))
        say(f"{time.monotonic() - begun:5.0f} s: {bids.count()} bids, {walks.count()} walks, {faults.count()} faults, at {fleet.where()}")
        if striking and striking.done():
            break
    harm.stop()
    if striking:
        await striking
    await _until(lambda: walks.count() > walked + 1, time.monotonic() + EXTRA, "no walk came to its end")
    journal.note("ended", at=time.monotonic())
    await fleet.dismiss()


async def _until(condition: Callable[[], bool], until: float, otherwise: str) -> None:
    while not condition():
        if time.monotonic() > until:
            raise SoakFailed(otherwise)
        await asyncio.sleep(0.1)


async def _sweep(fleet: Fleet, folder: Path) -> None:
    """Nobody may be forgotten, and nothing may be bid on twice: offer what has no bid, and some of what has, at each end of a walk."""
    for end in ENDS:
        fleet.stay(end)
        await _until(lambda end=end: fleet.rests_at(end), time.monotonic() + EXTRA, f"the fleet did not come to {end}")
        await _offer(fleet, folder)


async def _offer(fleet: Fleet, folder: Path) -> None:
    bid = sorted({int(one.posting.split(":")[1]) for one in _history(folder).bids})
    missing = set(range(fleet.place.feed.released())) - set(bid)
    sample = bid[:BEFORE] + random.Random(fleet.place.seed).sample(bid, min(AGAIN, len(bid)))
    say(f"  the end, at {fleet.where()}: {len(missing)} postings without a bid and {len(sample)} with one are offered once more")
    await fleet.sweep([*sorted(missing), *sample])


def _history(folder: Path) -> History:
    return told({path.stem: list(read(path)) for path in folder.glob("*.jsonl")})


def report(history: History) -> bool:
    """Say what came of it; whether it is clean."""
    verdict = checker.check(history)
    for title, counts in (("faults", history.faults), ("attempts without a bid", history.skips)):
        say(f"{title}: " + (", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"))
    say(f"longest pause while a controller was at work, too: {verdict.guarded_pause:.1f} s")
    if verdict.recovery is not None:
        say(f"from the first answer of a restarted Redis to the next bid: median {verdict.recovery:.2f} s of {len(verdict.recoveries)}")
    for finding in checker.findings(verdict):
        say(finding)
    say(checker.line(verdict, history.walks, history.faults.total()))
    return verdict.clean


def main() -> None:
    """From the command line to the exit code: 0 when nothing happened that must not."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to hurt (60)")
    parser.add_argument("--seed", type=int, default=1, help="of every draw (1)")
    parser.add_argument("--faults", choices=("none", "all", "losses"), default="all", help="which (all)")
    parser.add_argument("--rate", type=float, default=25.0, help="postings a second (25)")
    parser.add_argument("--rest", type=float, default=2.0, help="seconds to rest at each end of a walk (2)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bidlock-soak-"))
    clean = False
    try:
        history = asyncio.run(soak(arguments, folder))
        clean = report(history)
    except SoakFailed as failure:
        say(f"soak: failed: {failure}")
    except KeyboardInterrupt:
        clean = True
        say("soak: stopped; every process of it has ended")
        raise SystemExit(130) from None
    finally:
        if clean:
            shutil.rmtree(folder)
        else:
            sys.stderr.write(f"everything that was written is in {folder}\n")
    raise SystemExit(0 if clean else 1)


if __name__ == "__main__":
    main()
