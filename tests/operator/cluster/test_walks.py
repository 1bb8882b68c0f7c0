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
