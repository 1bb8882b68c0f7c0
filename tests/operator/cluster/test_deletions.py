"""A policy that is deleted in the middle of a walk."""

from __future__ import annotations

import asyncio

import pytest
from simulation.world import Fleet, policy

from bidlock_operator import resources


@pytest.mark.slow
async def test_a_policy_can_be_deleted_at_any_step_of_a_walk(operated, transport, namespace):
    steps = ["sqlite", "dual", "strict", "primary", "only"]
    fleets = {mode: Fleet(transport, policy(namespace, mode, replicas=1, phase="RedisOnly")) for mode in steps}
    for fleet in fleets.values():
        await fleet.create()
    async with asyncio.TaskGroup() as group:
        for mode, fleet in fleets.items():
            group.create_task(deleted_at(fleet, mode))


async def deleted_at(fleet: Fleet, mode: str) -> None:
    """Delete a policy when it is on its way to a mode, and see it gone."""
    await fleet.until(lambda body: (body.get("status") or {}).get("to") == mode, 240)
    await fleet.delete()
    async with asyncio.timeout(60):
        while await fleet.kube.get(resources.POLICY, fleet.namespace, fleet.name):
            await asyncio.sleep(0.1)
