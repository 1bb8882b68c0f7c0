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
    async with bidder() as locks:
        return [await locks.bid_once("upwork", name, placed, timeout=5) for name in names]


async def promoted(fleet):
    """The replica is the master, and the old master comes back as its replica."""
    (follower,) = fleet.replicas
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(follower.command, "ROLE"))[0] != "master":
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
        assert isinstance((await controller.walk(Wish("only"), kill)).action, actions.Noop)
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
