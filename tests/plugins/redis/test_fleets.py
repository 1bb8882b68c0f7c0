"""Replicas, Sentinels and clusters: real processes."""

from __future__ import annotations

import asyncio

import pytest
from redis.crc import key_slot
from redis.exceptions import ResponseError

from bidlock.backend import Verdict
from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock_redis.testing.fleets import start_cluster, until, watched

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(params=["valkey-9.1", "redis-6.2"])
def fleet(request, tmp_path):
    with watched(request.param, directory=tmp_path) as running:
        yield running


@pytest.fixture(scope="module", params=["valkey-9.1", "redis-6.2"])
def cluster(request, tmp_path_factory):
    with start_cluster(request.param, directory=tmp_path_factory.mktemp("cluster")) as running:
        yield running


async def test_sentinel_names_the_master(opened, ticket, fleet):
    backend = await opened(fleet.url)
    assert (await backend.acquire(ticket())).ok
    assert (await backend.observe()).details["run_id"] == fleet.master.command("INFO", "server")["run_id"]


async def test_a_promoted_replica_grants_nothing_until_it_is_blessed(opened, ticket, fleet):
    backend = await opened(fleet.url)
    mine = ticket()
    first = await backend.acquire(mine)
    replica = fleet.replicas[0]
    fleet.master.kill()
    await asyncio.to_thread(
        until, lambda: f"{replica.host}:{replica.port}" in str(fleet.sentinels[0].command("INFO", "sentinel")), "a Sentinel that names it"
    )

    assert (await backend.renew(mine)).verdict is Verdict.CLOSED

    await opened(fleet.url)
    assert (await backend.acquire(ticket("2"))).token > max(first.token, 2 << 32)


async def test_an_unknown_master_is_unavailable(opened, fleet):
    with pytest.raises(BackendUnavailable, match="the master 'other' was not reached"):
        await opened(fleet.url.replace("/fleet/", "/other/"))


async def test_an_answer_counts_only_when_enough_replicas_acknowledged(opened, ticket, fleet):
    backend = await opened(f"{fleet.master.url}?wait_replicas=1")
    assert (await backend.acquire(ticket("1"))).ok
    mine = ticket("2")
    fleet.replicas[0].pause()
    with pytest.raises(BackendAmbiguous, match="0 of 1 replicas"):
        await backend.acquire(mine)
    fleet.replicas[0].resume()
    answers = await asyncio.gather(backend.acquire(mine), *(backend.acquire(ticket(str(number))) for number in range(10, 40)))
    assert all(answer.ok for answer in answers)


async def test_buckets_are_spread_over_the_nodes_of_a_cluster(opened, ticket, cluster):
    backend = await opened(f"{cluster.url}?prefix=spread", buckets=8)
    answers = await asyncio.gather(*(backend.acquire(ticket(str(number))) for number in range(64)))
    assert all(answer.ok for answer in answers)
    assert all(node.command("DBSIZE") > 0 for node in cluster.nodes)


async def test_a_bucket_that_moved_is_followed(opened, ticket, cluster):
    backend = await opened(f"{cluster.url}?prefix=moved", blessed=False)
    other = await opened(f"{cluster.url}?prefix=moved", blessed=False)
    slot = key_slot(backend.keys(0).meta.encode())
    source = next(node for node in cluster.nodes if node.port == backend.route.link(backend.keys(0))._dialer._host[1])
    target = next(node for node in cluster.nodes if node is not source)
    cluster.move(slot, source, target)

    assert await opened(f"{cluster.url}?prefix=moved")

    assert (await other.acquire(ticket())).ok
    assert (await backend.acquire(ticket())).verdict is Verdict.HELD


async def test_a_release_on_one_node_wakes_a_waiter_on_any(opened, ticket, cluster):
    holder = await opened(f"{cluster.url}?prefix=wake", buckets=8)
    waiter = await opened(f"{cluster.url}?prefix=wake", buckets=8)
    for number in range(8):
        mine = ticket(str(number))
        await holder.acquire(mine)
        async with asyncio.timeout(10), waiter.wakeups(mine.posting) as woken:
            await holder.release(mine)
            await woken.wait(60)


async def test_a_server_of_a_cluster_wants_the_clusters_scheme(opened, cluster):
    stranger = next(node for node in cluster.nodes if not _has(node, "{lost:0}:meta"))
    with pytest.raises(BackendUnavailable, match=r"use redis\+cluster:// in the URL"):
        await opened(f"{stranger.url}?prefix=lost")


def _has(node, key: str) -> bool:
    try:
        node.command("EXISTS", key)
    except ResponseError:  # it redirects
        return False
    return True
