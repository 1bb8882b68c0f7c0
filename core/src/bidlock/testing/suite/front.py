"""The front door over this backend: what a bot's author is promised, whatever the store."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import count
from typing import Any

import pytest

import bidlock
from bidlock.backend import MarkerState, Verdict
from bidlock.clock import SystemClock
from bidlock.leases import Lease
from bidlock.locks import Locks
from bidlock.testing.cancelling import cancel_at
from bidlock.testing.lab import PATIENCE, Lab
from bidlock.testing.scenario import scenario
from bidlock.testing.suite.cancellation import WHEN

TTL = 60.0
MARKET = "market"


@contextlib.asynccontextmanager
async def connected(lab: Lab, **settings: Any) -> AsyncIterator[Locks]:
    """A client with a user's settings, but no safety margin, so that leases may be short."""
    given = {"prefix": lab.prefix, "ttl": TTL, "ttl_max": 600.0, "margin": 0.0, **settings}
    async with bidlock.connect(lab.url, environment={}, **given) as locks:
        yield locks


async def place(lease: Lease) -> int:
    """Place the bid: here, tell the token."""
    return lease.token


@scenario()
async def test_a_posting_is_bid_on_once(lab: Lab) -> None:
    async with connected(lab) as first, connected(lab) as second:
        placed = await first.bid_once(MARKET, "1", place)
        assert isinstance(placed, bidlock.Placed)
        assert placed.result == placed.token
        for locks in (first, second):
            assert await locks.bid_once(MARKET, "1", place) == bidlock.Skipped(bidlock.SkipReason.ALREADY_BID)


@scenario()
async def test_of_many_bots_one_bids(lab: Lab) -> None:
    bids = []

    async def bid(lease: Lease) -> None:
        bids.append(lease.token)

    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(lab)) for _ in range(4)]
        await asyncio.gather(*(clients[n % 4].bid_once(MARKET, "1", bid, timeout=PATIENCE) for n in range(12)))
    assert len(bids) == 1


@scenario()
async def test_what_became_of_a_bid_stands_in_the_store(lab: Lab) -> None:
    async def refused(_: Lease) -> None:
        raise bidlock.BidRejected("closed meanwhile")

    async with connected(lab) as locks:
        await locks.bid_once(MARKET, "placed", place)
        with pytest.raises(bidlock.BidRejected):
            await locks.bid_once(MARKET, "rejected", refused)
        for state in (MarkerState.PLACED, MarkerState.REJECTED):
            lease, marker = await locks.inspect(MARKET, state.value)
            assert lease is None
            assert marker is not None
            assert marker.state is state


@scenario()
async def test_holders_take_turns(lab: Lab) -> None:
    inside, most = [0], [0]

    async def work(locks: Locks) -> None:
        async with locks.hold(MARKET, "1", timeout=PATIENCE):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            await asyncio.sleep(0.001)
            inside[0] -= 1

    async with connected(lab) as first, connected(lab) as second:
        await asyncio.gather(*(work(locks) for locks in (first, second) for _ in range(4)))
    assert (inside, most) == ([0], [1])


@scenario()
async def test_who_may_not_wait_is_told_at_once(lab: Lab) -> None:
    async with connected(lab) as first, connected(lab) as second:
        lease = await first.try_hold(MARKET, "1")
        assert lease is not None
        assert await second.try_hold(MARKET, "1") is None
        await lease.release()
        again = await second.try_hold(MARKET, "1")
        assert again is not None
        assert again.token > lease.token
        await again.release()


@scenario()
async def test_a_held_posting_is_renewed_beyond_its_ttl(lab: Lab) -> None:
    async with connected(lab) as locks:
        store = await lab.opened()
        async with locks.hold(MARKET, "1", ttl=3) as lease:
            first = lease.deadline

            async def renewed() -> bool:
                return lease.deadline > first

            await lab.until("the lease was renewed", renewed)
            assert not lease.lost.is_set()
            assert (await store.acquire(lab.ticket(lab.posting("1")))).verdict is Verdict.HELD


@scenario()
async def test_a_broken_holder_learns_that_it_lost_its_lease(lab: Lab) -> None:
    async with connected(lab) as locks, connected(lab) as admin:
        lease = await locks.try_hold(MARKET, "1", ttl=0.6)
        assert lease is not None
        assert await admin.break_lock(MARKET, "1", by="ops", reason="stuck") is not None
        async with asyncio.timeout(PATIENCE):
            await lease.lost.wait()


class Misled(SystemClock):
    """The machine's clocks, with the date wrong by so much."""

    wrong = 0.0

    def time(self) -> float:
        """Unix seconds that nobody should decide by."""
        return time.time() + self.wrong


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0], ids=["tomorrow", "yesterday"])
@scenario()
async def test_a_jump_of_the_wall_clock_ends_no_lease(lab: Lab, jump: float) -> None:
    clock = Misled()
    async with connected(lab, clock=clock) as locks, locks.hold(MARKET, "1", ttl=3) as lease:
        clock.wrong = jump
        first = lease.deadline
        assert first <= time.monotonic() + 3

        async def renewed() -> bool:
            return lease.deadline > first

        await lab.until("the lease was renewed after the jump", renewed)
        assert lease.deadline <= time.monotonic() + 3
        assert not lease.lost.is_set()


async def free_after_every_cancellation(lab: Lab, late: bool, work: Callable[[str], Coroutine[Any, Any, Any]]) -> None:
    """Cancel at each await; the posting is then free at once, though its leases live a minute, or done for good."""
    store = await lab.opened()
    for step in count(1):
        about = lab.posting()

        async def work_on(about: str = about.id) -> object:
            return await work(about)

        ending = await cancel_at(step, work_on, late=late)
        assert not ending.failed, ending.error

        async def freed(about: Any = about) -> bool:
            return (await store.acquire(lab.ticket(about))).verdict is not Verdict.HELD

        await lab.until(f"the posting was free after a cancellation at await {step}", freed)
        if not ending.reached:
            return


@WHEN
@scenario()
async def test_a_cancelled_hold_leaves_nothing_behind(lab: Lab, late: bool) -> None:
    async with connected(lab) as locks:

        async def hold(posting_id: str) -> None:
            async with locks.hold(MARKET, posting_id, timeout=0):
                await asyncio.sleep(0)

        await free_after_every_cancellation(lab, late, hold)


@WHEN
@scenario()
async def test_a_cancelled_try_hold_leaves_nothing_behind(lab: Lab, late: bool) -> None:
    async with connected(lab) as locks:

        async def try_hold(posting_id: str) -> None:
            lease = await locks.try_hold(MARKET, posting_id)
            assert lease is not None
            await lease.release()

        await free_after_every_cancellation(lab, late, try_hold)


@WHEN
@scenario()
async def test_a_cancelled_bid_leaves_nothing_behind_but_perhaps_its_marker(lab: Lab, late: bool) -> None:
    async with connected(lab) as locks:

        async def bid_once(posting_id: str) -> None:
            await locks.bid_once(MARKET, posting_id, place)

        await free_after_every_cancellation(lab, late, bid_once)
