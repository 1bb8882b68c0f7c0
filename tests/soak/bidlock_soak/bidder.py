"""One bidder process: works through the stream until SIGTERM, and writes down all it does and believes.

Which stores, whose, and in which mode it learns from `BIDLOCK_*`, like any bot.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import itertools
import random
import signal
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from bidlock_soak.feed import LOBBY, LOBBY_SIZE, MARKETPLACE, Feed
from bidlock_soak.journal import Journal

import bidlock
from bidlock import Locks, Placed, plugins
from bidlock.errors import BackendError
from bidlock.events import Acquired, Event, Lost
from bidlock.hookspecs import hookimpl
from bidlock.leases import Lease

HANDS = 2
"""Attempts at a time."""

AGAIN = frozenset({"held", "unreachable", "closed", "busy", "mode", "lost"})
"""Reasons after which a posting is tried again."""

TICK = 0.01
"""Seconds between two looks of a holder at its lease."""

PATIENCE = 3.0
"""Seconds that a sweep waits for one posting."""

_TRY: contextvars.ContextVar[int] = contextvars.ContextVar("_TRY")


class Witness:
    """Hears of every lease in this process; what is granted is written down even if it comes to nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.lost: dict[tuple[str, int], float] = {}
        """When leases were lost, by posting and token."""

    @hookimpl
    def bidlock_observe(self, event: Event) -> None:
        """See `bidlock.hookspecs`."""
        now = time.monotonic()
        match event:
            case Acquired():
                self._journal.note("leased", attempt=_TRY.get(), token=event.token, mode=event.mode, at=now)
            case Lost():
                self.lost[event.posting_id, event.token] = now


class Bidder:
    """What one process does."""

    def __init__(self, locks: Locks, journal: Journal, witness: Witness, rng: random.Random, feed: Feed) -> None:
        self._locks = locks
        self._feed = feed
        self._journal = journal
        self._witness = witness
        self._rng = rng
        self._numbers = itertools.count(1)

    async def bid(self, number: int, timeout: float = 0.0) -> str:
        """Try to bid on a posting of the stream; `placed`, or why not."""
        attempt = self._begin(f"{MARKETPLACE}:{number}", bids=True)

        async def place(lease: Lease) -> None:
            self._journal.note(
                "bid",
                sure=True,
                attempt=attempt,
                posting=f"{MARKETPLACE}:{number}",
                token=lease.token,
                nonce=lease.nonce,
                mode=self._locks.mode.name,
                at=time.monotonic(),
            )
            await self._believe(attempt, lease, self._rng.uniform(0.0, 0.02))

        outcome = await self._locks.bid_once(MARKETPLACE, str(number), place, posted_at=self._feed.stamp(number), timeout=timeout)
        return self._end(attempt, "placed" if isinstance(outcome, Placed) else outcome.reason.value)

    async def hold(self, marketplace: str, number: int, seconds: float) -> str:
        """Hold the bare lock of a posting for a while, if it is free."""
        attempt = self._begin(f"{marketplace}:{number}", bids=False)
        try:
            posted_at = self._feed.stamp(number) if marketplace == MARKETPLACE else None
            lease = await self._locks.try_hold(marketplace, str(number), posted_at=posted_at)
        except BackendError:
            return self._end(attempt, "unreachable")
        if lease is None:
            return self._end(attempt, "not to be had")
        await self._believe(attempt, lease, seconds)
        await lease.release()
        return self._end(attempt, "released")

    async def _believe(self, attempt: int, lease: Lease, seconds: float) -> None:
        """Write down from when to when this process had every reason to believe in the lease."""
        start = now = time.monotonic()
        if lease.lost.is_set() or lease.deadline <= start:
            return
        self._journal.note("believes", attempt=attempt, deadline=lease.deadline, at=start)
        while now < min(start + seconds, lease.deadline) and not lease.lost.is_set():
            await asyncio.sleep(TICK)
            now = time.monotonic()
        # The clock was read before the lease was looked at: at that time it was not lost.
        lost = self._witness.lost.get((lease.posting.id, lease.token), now) if lease.lost.is_set() else now
        self._journal.note("believed", attempt=attempt, at=min(now, lost, lease.deadline))

    def _begin(self, posting: str, *, bids: bool) -> int:
        attempt = next(self._numbers)
        _TRY.set(attempt)
        self._journal.note("try", attempt=attempt, posting=posting, bids=bids, at=time.monotonic())
        return attempt

    def _end(self, attempt: int, outcome: str) -> str:
        self._journal.note("done", attempt=attempt, outcome=outcome)
        return outcome


class Round:
    """What a bidder does next: mostly what has just come out, sometimes what it failed at, what is old, or a bare hold."""

    def __init__(self, bidder: Bidder, feed: Feed, rng: random.Random) -> None:
        self._bidder = bidder
        self._feed = feed
        self._rng = rng
        self._fresh = self._numbers()
        self._failed: deque[int] = deque(maxlen=200)

    async def turn(self) -> None:
        """One piece of work."""
        draw = self._rng.random()
        if draw < 0.06:
            await self._bidder.hold(LOBBY, self._rng.randrange(LOBBY_SIZE), self._seconds())
        elif draw < 0.10:
            await self._bidder.hold(MARKETPLACE, max(0, self._feed.released() - self._rng.randrange(3)), 0.01)
        elif draw < 0.20:
            await self._bid(self._rng.randrange(self._feed.released() or 1))
        elif draw < 0.35 and self._failed:
            await self._bid(self._failed.popleft())
        else:
            await self._bid_on_fresh()

    async def _bid_on_fresh(self) -> None:
        number = next(self._fresh)
        await asyncio.sleep(max(0.0, self._feed.due(number) - time.monotonic()))
        await self._bid(number)

    async def _bid(self, number: int) -> None:
        if await self._bidder.bid(number) in AGAIN:
            self._failed.append(number)

    def _seconds(self) -> float:
        """How long to hold: mostly briefly, now and then longer than a TTL."""
        return self._rng.choice((0.01, 0.03, 0.05, 0.1, 0.2, 1.0))

    def _numbers(self) -> Iterator[int]:
        """Each bidder takes two postings of three, and passes over what came out too long ago."""
        number = max(0, self._feed.released() - 20)
        while True:
            number = max(number, self._feed.released() - 60)
            if self._rng.random() < 0.67:
                yield number
            number += 1


async def work(bidder: Bidder, feed: Feed, rng: random.Random, stopped: asyncio.Event) -> None:
    """Until stopped; an attempt that has begun is finished."""
    round_ = Round(bidder, feed, rng)

    async def hand() -> None:
        while not stopped.is_set():
            await round_.turn()

    await asyncio.gather(*(hand() for _ in range(HANDS)))


async def sweep(bidder: Bidder, numbers: list[int]) -> None:
    """Try to bid on each of these once more, with patience."""
    for number in numbers:
        await bidder.bid(number, PATIENCE)


async def run(arguments: argparse.Namespace) -> None:
    """The whole life of the process."""
    journal, rng = Journal(arguments.journal), random.Random(arguments.seed)
    witness, loaded = Witness(journal), plugins.load()
    loaded.register(witness, "witness")
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with bidlock.connect(loaded=loaded) as locks:
        feed = Feed(arguments.begun, arguments.rate, arguments.head_start, arguments.wall)
        bidder = Bidder(locks, journal, witness, rng, feed)
        if arguments.sweep:
            await sweep(bidder, [int(number) for number in arguments.sweep.read_text().split()])
        else:
            await work(bidder, feed, rng, stopped)


def main() -> None:
    """From the command line to the loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--begun", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--head-start", type=int, default=0)
    parser.add_argument("--wall", type=float, default=0.0)
    parser.add_argument("--sweep", type=Path)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
