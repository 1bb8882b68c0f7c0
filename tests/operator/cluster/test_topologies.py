"""Fleets whose pods have a SQLite file each, on a real API server."""

from __future__ import annotations

from simulation.world import Fleet, policy

PER_POD = {"topology": "PerPod", "storage": {"size": "1Gi"}}


async def test_a_fleet_with_a_file_per_pod_has_one_bidder_until_redis_decides_and_again_on_the_way_back(operated, transport, namespace):
    body = policy(namespace, replicas=1)
    body["spec"]["sqlite"] = PER_POD
    fleet = Fleet(transport, body)
    await fleet.create()
    await fleet.walked("SQLite")

    await fleet.change(phase="RedisOnly", replicas=3)
    most = await most_bidders_until(fleet, lambda status: status.get("from") in ("primary", "only"))
    await fleet.walked("RedisOnly", 150)
    await fleet.until(lambda body: body["status"]["readyReplicas"] == 3)

    assert most == 1

    await fleet.change(phase="SQLite", replicas=1)
    back = await fleet.walked("SQLite", 150)
    assert (back["status"]["authority"], back["status"]["replicas"]) == ("SQLite", 1)


async def most_bidders_until(fleet, holds):
    """How many bidders were listed at most."""
    most = 0

    def counted(body):
        nonlocal most
        there = holds(body["status"])
        if not there:
            most = max(most, body["status"].get("replicas", 0))
        return there

    await fleet.until(counted, 150)
    return most
