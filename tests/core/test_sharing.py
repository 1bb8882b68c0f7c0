import asyncio
from types import SimpleNamespace

import pytest

from bidlock.sharing import PASSES_IN_A_ROW, Lines, Turn


@pytest.fixture
def abandoned():
    return []


@pytest.fixture
def lines(abandoned):
    return Lines(abandoned.append)


def waiter(lines, *, bids=True, timeout=5.0):
    return asyncio.create_task(lines.wait("k", bids=bids, timeout=timeout))


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_empty_line_gives_the_turn_at_once(lines):
    assert isinstance(lines.step_in("k", bids=True), Turn)
    assert lines.step_in("k", bids=True) is None


async def test_turns_are_given_in_order(lines):
    front = lines.step_in("k", bids=False)
    first, second = waiter(lines), waiter(lines)
    await settle()
    lines.leave(front)
    await settle()

    assert first.done()
    assert not second.done()
    lines.leave(await first)
    assert isinstance(await second, Turn)


async def test_a_claim_sends_everybody_home(lines):
    front = lines.step_in("k", bids=True)
    waiting = [waiter(lines) for _ in range(5)]
    await settle()
    lines.leave(front, claimed=True)

    assert await asyncio.gather(*waiting) == [True] * 5
    assert lines.step_in("k", bids=True) is not None


async def test_whoever_waited_too_long_is_out_of_the_line(lines):
    front = lines.step_in("k", bids=False)

    assert await lines.wait("k", bids=True, timeout=0) is False
    assert not lines.has_next(front)


async def test_a_lease_is_passed_on_to_the_next(lines):
    front = lines.step_in("k", bids=False)
    following = waiter(lines)
    await settle()
    attempt = SimpleNamespace()

    assert lines.leave(front, pass_on=attempt)
    turn = await following
    assert (turn.inherited, turn.passes) == (attempt, 1)


async def test_a_lease_passed_on_to_somebody_cancelled_at_that_moment_is_abandoned(lines, abandoned):
    front = lines.step_in("k", bids=False)
    following = waiter(lines)
    await settle()
    attempt = SimpleNamespace()
    lines.leave(front, pass_on=attempt)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert abandoned == [attempt]
    assert lines.step_in("k", bids=True) is not None


async def test_a_turn_given_in_the_moment_of_a_cancellation_goes_to_the_next(lines):
    front = lines.step_in("k", bids=False)
    first, second = waiter(lines), waiter(lines)
    await settle()
    lines.leave(front)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert isinstance(await second, Turn)


async def test_other_processes_get_their_turn_after_many_passes(lines):
    front = lines.step_in("k", bids=False)
    waiter(lines)
    await settle()
    front.passes = PASSES_IN_A_ROW

    assert not lines.has_next(front)


async def test_a_line_of_bids_knows_when_somebody_holds_the_bare_lock(lines):
    lines.step_in("k", bids=True)
    assert lines.only_bids("k")
    waiter(lines, bids=False)
    await settle()

    assert not lines.only_bids("k")
