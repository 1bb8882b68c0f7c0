"""Walks on a master with replicas under a Sentinel, which is killed meanwhile."""

from __future__ import annotations

import asyncio

import pytest

import bidlock
from bidlock import Placed, SkipReason
from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish, actions
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.testing.fleets import watched

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NAMES = [str(number) for number in range(8)]


@pytest.fixture
def buckets():
    return 1


@pytest.fixture
def fleet(tmp_path):
    with watched(directory=tmp_path / "fleet", replicas=1) as fleet:
        yield fleet


@pytest.fixture
def target_url(fleet):
    return f"{fleet.url}?wait_replicas=1"


@pytest.fixture
def bidder(file, origin_url, target_url):
    def connect():
        environment = {
            "BIDLOCK_POLICY": file.read().owner,
            "BIDLOCK_SQLITE_URL": origin_url,
            "BIDLOCK_REDIS_URL": target_url,
            "BIDLOCK_MODE_FILE": str(file.path.with_suffix(".mode")),
            "BIDLOCK_TTL": "0.2",
        }
        return bidlock.connect(environment=environment)

    return connect


async def placed(lease):
    return lease.token


async def bids(bidder, names):
    """What became of each posting."""
    async with bidder() as locks, asyncio.timeout(60):
        return [await answered(locks, name) for name in names]


async def answered(locks, name):
    """What became of a posting; a Sentinel names no master for a while after a failover, and until it does a bidder skips."""
    while True:
        outcome = await locks.bid_once("upwork", name, placed, timeout=5)
        if isinstance(outcome, Placed) or outcome.reason is not SkipReason.UNREACHABLE:
            return outcome
        await asyncio.sleep(0.05)


async def arrived(controller, mode, watch):
    """Walk again, as a human would, as often as a step is refused because nobody is the master."""
    while not isinstance((await controller.walk(Wish(mode), watch)).action, actions.Noop):
        await asyncio.sleep(0.05)


async def promoted(fleet):
    """To the Sentinel the replica is the master; only then the old master comes back, as its replica."""
    (follower,), (sentinel,) = fleet.replicas, fleet.sentinels
    async with asyncio.timeout(30):
        while int((await asyncio.to_thread(sentinel.command, "SENTINEL", "get-master-addr-by-name", fleet.service))[1]) != follower.port:
            await asyncio.sleep(0.05)
    fleet.master.config["replicaof"] = f"{follower.host} {follower.port}"
    await asyncio.to_thread(fleet.master.launch)


@pytest.mark.parametrize("killed_after", [actions.Copy, actions.Authorise, actions.Open])
async def test_a_failover_in_the_middle_of_a_walk_forgets_nothing(fleet, controller, walk, bidder, killed_after):
    await walk("strict")
    before = await bids(bidder, NAMES)
    recovering: list[asyncio.Task[None]] = []

    def kill(step):
        if isinstance(step.action, killed_after) and step.result == "OK" and not recovering:
            fleet.master.kill()
            recovering.append(asyncio.create_task(promoted(fleet)))

    async with asyncio.timeout(120):
        await arrived(controller, "only", kill)
    await recovering[0]

    again, after = await bids(bidder, NAMES), await bids(bidder, ["another"])
    assert {outcome.reason for outcome in again} == {SkipReason.ALREADY_BID}
    assert isinstance(after[0], Placed)
    assert after[0].token > max(outcome.token for outcome in before)


@pytest.mark.parametrize(("waited_for", "durable"), [(0, False), (1, False), (2, True)])
async def test_a_server_counts_as_durable_when_every_replica_is_waited_for(tmp_path, waited_for, durable):
    with watched(directory=tmp_path / "fleet", replicas=2) as fleet:
        target = RedisTarget(BackendConfig(parse(f"{fleet.url}?wait_replicas={waited_for}")))
        await target.open()
        assert [bucket.durable for bucket in await target.survey(0)] == [durable]
        await target.close()
