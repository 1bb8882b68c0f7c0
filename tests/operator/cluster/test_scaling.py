"""Autoscalers beside the operator: the real controller of HorizontalPodAutoscalers, at a real API server."""

from __future__ import annotations

import asyncio

import pytest
from simulation.world import Fleet, policy

from bidlock_operator import resources
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import path
from bidlock_operator.kube.transport import MERGE, Request
from bidlock_operator.resources import Resource

AUTOSCALER = Resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
BIDDER = "arbitrage-bidder"
LONG = 120


@pytest.fixture
async def fleet(operated, transport, namespace):
    """Two bidders at their file."""
    made = Fleet(transport, policy(namespace))
    await made.create()
    await made.walked("SQLite")
    return made


async def autoscale(fleet: Fleet, target: Resource, name: str, *, least: int, most: int) -> None:
    """Have a number of bidders between two bounds; without metrics the controller keeps just to those."""
    body = {
        "apiVersion": AUTOSCALER.api_version,
        "kind": AUTOSCALER.kind,
        "metadata": {"name": "bidders", "namespace": fleet.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": target.api_version, "kind": target.kind, "name": name},
            "minReplicas": least,
            "maxReplicas": most,
        },
    }
    await fleet.kube.apply(AUTOSCALER, body)


async def bidders(fleet: Fleet) -> dict:
    found = await fleet.kube.get(kinds.DEPLOYMENT, fleet.namespace, BIDDER)
    assert found
    return found


async def until_ready(fleet: Fleet, number: int) -> None:
    """Wait until that many bidders run."""
    async with asyncio.timeout(LONG):
        while ((await bidders(fleet)).get("status") or {}).get("readyReplicas") != number:
            await asyncio.sleep(0.2)


async def test_an_autoscaler_of_the_policy_sets_the_number_of_bidders_and_the_operator_follows(fleet):
    await autoscale(fleet, resources.POLICY, fleet.name, least=4, most=6)
    await until_ready(fleet, 4)
    assert (await fleet.read())["spec"]["replicas"] == 4

    await autoscale(fleet, resources.POLICY, fleet.name, least=1, most=3)
    await until_ready(fleet, 3)


async def test_an_autoscaler_of_the_bidders_is_not_fought_with_not_even_while_they_roll(fleet):
    await autoscale(fleet, kinds.DEPLOYMENT, BIDDER, least=4, most=6)
    await until_ready(fleet, 4)

    await fleet.change(phase="DualSupport")
    counted = [await replicas_until_walked(fleet, "DualSupport")]
    assert counted == [{4}]
    assert (await fleet.read())["spec"]["replicas"] == 2


async def replicas_until_walked(fleet: Fleet, phase: str) -> set[int]:
    """The numbers of bidders that were asked for on the way."""
    seen = set()
    walking = asyncio.create_task(fleet.walked(phase, LONG))
    while not walking.done():
        seen.add((await bidders(fleet))["spec"]["replicas"])
        await asyncio.sleep(0.05)
    await walking
    return seen


async def test_another_autoscaler_than_kubernetes_own_is_not_fought_with_either(fleet):
    place = f"{path(kinds.DEPLOYMENT, fleet.namespace, BIDDER)}/scale"
    await fleet.transport.send(Request("PATCH", place, {"fieldManager": "scaler"}, {"spec": {"replicas": 5}}, MERGE))
    await until_ready(fleet, 5)

    await fleet.change(phase="DualSupport")
    assert await replicas_until_walked(fleet, "DualSupport") == {5}


async def test_a_human_who_scales_the_bidders_and_not_the_policy_is_overruled(fleet, defined):
    defined.kubectl("scale", f"deployment/{BIDDER}", "--replicas=7", "-n", fleet.namespace)

    async with asyncio.timeout(30):
        while (await bidders(fleet))["spec"]["replicas"] != 2:
            await asyncio.sleep(0.05)
