import asyncio

import pytest

from bidlock import BidRejected, ConfigurationError, Placed, Skipped, SkipReason
from bidlock.backend import MarkerState


async def placed(lease):
    return f"bid {lease.token}"


async def marker_state(locks, posting_id="1"):
    return (await locks.inspect("upwork", posting_id)).marker.state


async def test_the_first_caller_places_the_bid(locks):
    assert await locks.bid_once("upwork", "1", placed) == Placed("bid 1", 1)
    assert await marker_state(locks) is MarkerState.PLACED


async def test_nobody_bids_twice(locks, rival):
    await locks.bid_once("upwork", "1", placed)

    assert await rival.bid_once("upwork", "1", placed) == Skipped(SkipReason.ALREADY_BID)


async def test_a_posting_that_a_rival_holds_is_skipped_at_once(locks, rival):
    async with locks.hold("upwork", "1"):
        assert (await rival.bid_once("upwork", "1", placed)).reason is SkipReason.HELD


async def test_a_caller_may_wait_for_a_rival(locks, rival):
    lease = await rival.try_hold("upwork", "1")
    bidding = asyncio.create_task(locks.bid_once("upwork", "1", placed, timeout=5))
    await asyncio.sleep(0)
    await lease.release()

    assert isinstance(await bidding, Placed)


async def test_a_hundred_callers_of_one_process_ask_the_store_once(locks, recorder):
    outcomes = await asyncio.gather(*(locks.bid_once("upwork", "1", placed) for _ in range(100)))

    assert sum(isinstance(outcome, Placed) for outcome in outcomes) == 1
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Skipped)} == {SkipReason.ALREADY_BID}
    assert recorder.kinds().count("Acquired") == 1


@pytest.mark.parametrize(
    ("raised", "state"), [(BidRejected("closed for bids"), MarkerState.REJECTED), (OSError("reset"), MarkerState.UNKNOWN)]
)
async def test_what_place_raises_comes_through_and_is_recorded(locks, rival, raised, state):
    async def place(lease):
        raise raised

    with pytest.raises(type(raised)):
        await locks.bid_once("upwork", "1", place)

    assert await marker_state(locks) is state
    assert (await rival.bid_once("upwork", "1", placed)).reason is SkipReason.ALREADY_BID


async def test_a_bid_cancelled_in_flight_is_recorded_as_unknown(locks):
    started = asyncio.Event()

    async def place(lease):
        started.set()
        await asyncio.Event().wait()

    bidding = asyncio.create_task(locks.bid_once("upwork", "1", place))
    await started.wait()
    bidding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bidding

    assert await marker_state(locks) is MarkerState.UNKNOWN
    assert (await locks.inspect("upwork", "1")).lease is None


async def test_when_the_first_caller_fails_before_its_claim_the_next_one_tries(locks, rival):
    lease = await rival.try_hold("upwork", "1")
    first, second = (asyncio.create_task(locks.bid_once("upwork", "1", placed, timeout=timeout)) for timeout in (0.05, 5))
    assert (await first).reason is SkipReason.HELD
    await lease.release()

    assert isinstance(await second, Placed)


async def test_the_life_of_a_bid_is_told_to_observers(locks, recorder):
    await locks.bid_once("upwork", "1", placed)

    assert recorder.kinds() == ["Acquired", "Claimed", "Recorded", "Released"]
    assert {event.holder for event in recorder.events} == {"me:1"}


@pytest.mark.parametrize("posted_at", [-1, 10**12, "yesterday", float("nan")])
async def test_a_creation_stamp_that_is_no_moment_is_refused(locks, posted_at):
    with pytest.raises(ConfigurationError, match="is no moment"):
        await locks.bid_once("upwork", "1", placed, posted_at=posted_at)
