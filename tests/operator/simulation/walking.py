"""One walk to Redis and back, and how everything is at its end."""

from __future__ import annotations

import asyncio
import uuid

from simulation.world import Fleet, condition, policy

from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.resources import Resource

NAMESPACES = Resource("", "v1", "Namespace", "namespaces")


def difference(reference, state):
    """What is not as it should be."""
    return {name: (reference[name], state[name]) for name in reference if reference[name] != state[name]}


async def fresh(kube: Kube, prefix: str) -> str:
    """A namespace."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    await kube.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


async def walked(kube: Kube, transport, namespace: str, seconds: float, *, every: float = 0.05):
    """Walk to Redis and back, tell how everything is, and take it away; looked at `every` so many seconds."""
    fleet = Fleet(transport, policy(namespace, replicas=1), every=every)
    await fleet.create()
    await fleet.walked("SQLite", seconds)
    for phase in ("RedisOnly", "SQLite"):
        await fleet.change(phase=phase)
        await fleet.walked(phase, seconds)
    state = await told(kube, fleet, seconds)
    await fleet.delete()
    await kube.delete(NAMESPACES, "", namespace)
    return state


async def told(kube: Kube, fleet: Fleet, seconds: float):
    """What must be the same, once the parts that are not needed any more are gone."""
    async with asyncio.timeout(seconds):
        while any(name.endswith("/arbitrage-redis") for name in await children(kube, fleet)):
            await asyncio.sleep(fleet.every)
    body = await fleet.until(
        lambda body: condition(body, "Progressing", "reason") == "Settled" and condition(body, "Ready") == "True", seconds
    )
    status = body["status"]
    names = await children(kube, fleet)
    return {
        "register": {name: status[name] for name in ("from", "to", "authority", "recovering", "templateMode", "currentPhase")},
        "begun": status["epoch"] & 0xFFFFFFFF,
        "conditions": sorted((each["type"], each["status"], each["reason"]) for each in status["conditions"]),
        "children": sorted(names),
        "finalizers": body["metadata"].get("finalizers"),
        "annotations": body["metadata"].get("annotations"),
    }


async def children(kube: Kube, fleet: Fleet) -> set[str]:
    """Everything that belongs to the fleet."""
    return {
        f"{kind.kind}/{body['metadata']['name']}"
        for kind in kinds.CHILDREN
        for body in await kube.list(kind, fleet.namespace, "bidlock.io/policy")
    }
