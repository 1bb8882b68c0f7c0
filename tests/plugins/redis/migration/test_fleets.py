"""Walks on a cluster."""

from __future__ import annotations

import pytest

import bidlock
from bidlock import Placed, SkipReason
from bidlock.migration import actions
from bidlock_redis.testing.fleets import start_cluster

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def buckets():
    return 4


@pytest.fixture
def target_url(tmp_path):
    with start_cluster(directory=tmp_path / "cluster") as cluster:
        yield cluster.url


@pytest.fixture
def bidder(file, origin_url, target_url):
    def connect():
        environment = {
            "BIDLOCK_POLICY": file.read().owner,
            "BIDLOCK_SQLITE_URL": origin_url,
            "BIDLOCK_REDIS_URL": target_url,
            "BIDLOCK_MODE_FILE": str(file.path.with_suffix(".mode")),
            "BIDLOCK_BUCKETS": "4",
            "BIDLOCK_TTL": "0.2",
        }
        return bidlock.connect(environment=environment)

    return connect


async def placed(lease):
    return lease.token


async def bids(locks, names):
    return [await locks.bid_once("upwork", name, placed, timeout=5) for name in names]


async def test_markers_go_to_every_node_of_a_cluster_and_come_back(walk, bidder):
    names = [str(number) for number in range(12)]
    await walk("sqlite")
    async with bidder() as locks:
        assert all(isinstance(outcome, Placed) for outcome in await bids(locks, names))
    for mode in ("only", "sqlite"):
        # Without wait_replicas a replica that knows less may take over, so a cluster does not count as durable.
        assert isinstance((await walk(mode, accept_not_durable=True))[-1], actions.Noop)
        async with bidder() as locks:
            assert {outcome.reason for outcome in await bids(locks, names)} == {SkipReason.ALREADY_BID}


async def test_a_cluster_whose_replicas_are_not_waited_for_does_not_get_the_authority_unasked(walk):
    assert (await walk("only"))[-1].reason == "RedisNotDurable"
