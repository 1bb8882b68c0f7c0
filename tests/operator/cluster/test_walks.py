"""Whole walks against a real API server, real Redis and real SQLite."""

from __future__ import annotations

from simulation.world import Fleet, policy


async def test_a_fleet_walks_to_redis_and_back(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    await fleet.walked("SQLite")

    for phase in ("RedisOnly", "SQLite"):
        await fleet.change(phase=phase)
        await fleet.walked(phase, 120)


async def test_the_status_says_where_redis_is_and_which_process_it_is(operated, transport, namespace, node):
    fleet = Fleet(transport, policy(namespace, phase="DualSupport"))
    await fleet.create()
    first = (await fleet.until(lambda body: (body.get("status") or {}).get("redis", {}).get("runId"), 90))["status"]["redis"]
    assert first["endpoint"].startswith("arbitrage-redis.")
    await fleet.walked("DualSupport", 90)

    node.crash(namespace, "redis")

    again = await fleet.until(lambda body: body["status"]["redis"]["runId"] != first["runId"], 60)
    assert len(again["status"]["redis"]["runId"]) == len(first["runId"]) == 40
