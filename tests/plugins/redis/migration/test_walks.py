"""Whole walks to a real server and back."""

from __future__ import annotations

import asyncio
import itertools

import pytest

import bidlock
from bidlock import Placed, SkipReason
from bidlock.migration import actions
from bidlock.modes import MODES, Role

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def target_url(redis_url):
    return redis_url


@pytest.fixture(params=[1, 2], ids=["memory, one bucket", "file, two buckets"])
def buckets(request):
    return request.param


@pytest.fixture
def fleet(file, origin_url, target_url, buckets):
    """The environment of a bidder."""

    def environment(**more):
        kept = file.read()
        return {
            "BIDLOCK_POLICY": kept.owner,
            "BIDLOCK_SQLITE_URL": origin_url,
            "BIDLOCK_REDIS_URL": target_url,
            "BIDLOCK_MODE_FILE": str(file.path.with_suffix(".mode")),
            "BIDLOCK_BUCKETS": str(buckets),
            "BIDLOCK_TTL": "0.2",
            **more,
        }

    return environment


async def placed(lease):
    return lease.token


def of(kind, done):
    return [action for action in done if isinstance(action, kind)]


async def test_a_far_mode_is_walked_step_by_step_and_back(walk):
    there, back = await walk("only"), await walk("sqlite")

    assert [(begun.source, begun.to) for begun in of(actions.Begin, there)] == list(itertools.pairwise(MODES))
    assert [(begun.source, begun.to) for begun in of(actions.Begin, back)] == list(itertools.pairwise(reversed(MODES)))
    assert [flip.role for flip in of(actions.Authorise, there + back)] == [Role.TARGET, Role.ORIGIN]


async def test_every_bucket_is_copied_into_and_out_of(walk, buckets):
    done = await walk("only") + await walk("sqlite")
    assert of(actions.Copy, done) == [actions.Copy(role, bucket) for role in (Role.ORIGIN, Role.TARGET) for bucket in range(buckets)]


async def test_a_fleet_bids_all_the_way_without_a_duplicate(controller, walk, fleet):
    await controller.begin()
    bids, ended = [], asyncio.Event()

    async def bidder(locks):
        for number in itertools.count():
            if ended.is_set():
                return

            async def place(lease, number=number):
                bids.append((number, lease.token))

            await locks.bid_once("upwork", str(number), place)
            await asyncio.sleep(0.001)

    async with bidlock.connect(environment=fleet()) as one, bidlock.connect(environment=fleet()) as two:
        bidding = [asyncio.create_task(bidder(locks)) for locks in (one, two)]
        await walk("only")
        reached = len(bids)
        await walk("sqlite")
        ended.set()
        await asyncio.gather(*bidding)

    numbers = [number for number, _ in bids]
    assert 20 < reached < len(bids)
    assert len(numbers) == len(set(numbers))


async def test_what_was_bid_on_before_is_never_bid_on_after_each_walk(walk, fleet):
    modes = ["sqlite", "only", "sqlite", "only"]
    for number, mode in enumerate(modes):
        await walk(mode)
        async with bidlock.connect(environment=fleet()) as locks:
            outcomes = [await locks.bid_once("upwork", str(posting), placed) for posting in range(10 * (number + 1))]
        assert {outcome.reason for outcome in outcomes[:-10]} <= {SkipReason.ALREADY_BID}
        assert all(isinstance(outcome, Placed) for outcome in outcomes[-10:])
