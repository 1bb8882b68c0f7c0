"""The operator is stopped before and after every request of a walk to Redis and back; each time the fleet ends the same.

Every crash point has a namespace of its own, with a real Redis and a real SQLite file, and many are walked at once.
Every request is struck once, in turn before and after it. `BIDLOCK_CRASH_POINTS=all` strikes each twice; a number is how
many points are taken, evenly spread.
"""

from __future__ import annotations

import asyncio
import os
import uuid

import pytest
from simulation.crashing import Strikes
from simulation.world import Fleet, condition, operator, policy

from bidlock_operator import running
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.resources import Resource

NAMESPACES = Resource("", "v1", "Namespace", "namespaces")
AT_ONCE = 12
SECONDS = 500


@pytest.mark.slow
async def test_every_crash_point_ends_in_the_same_state(transport, node, monkeypatch, record_property):
    strikes = Strikes()
    monkeypatch.setattr(running, "Counting", strikes.transport)
    kube = Kube(transport)
    async with operator("default", everywhere=True):
        reference = await walked(kube, transport, await fresh(kube))
        requests = max(strikes.seen[name] for name in strikes.seen if name.startswith("crash"))
        points = chosen([(number, after) for number in range(1, requests + 1) for after in (False, True)])
        gate, ended = asyncio.Semaphore(AT_ONCE), []
        async with asyncio.TaskGroup() as group:
            for number, after in points:
                group.create_task(one(kube, transport, strikes, number, after, gate, ended))

    reached = [end for end in ended if end[0]]
    different = [f"{where}: {difference(reference, state)}" for where, state in reached if state != reference]
    same = f"{len(reached) - len(different)}/{len(reached)}"
    record_property("told", f"crash points of the operator: {same} (there are {2 * requests}, two for each request of a walk and back)")
    assert not different
    assert len(reached) >= len(points) * 0.9, "too few crash points were reached"


def difference(reference, state):
    """What is not as it should be."""
    return {name: (reference[name], state[name]) for name in reference if reference[name] != state[name]}


def chosen(points):
    """As many as are asked for."""
    wanted = os.environ.get("BIDLOCK_CRASH_POINTS", "")
    if not wanted:
        return [(number, after) for number, after in points if after == (number % 2 == 0)]
    number = len(points) if wanted == "all" else min(int(wanted), len(points))
    return [points[index * len(points) // number] for index in range(number)]


async def one(kube, transport, strikes, number, after, gate, ended):
    """One crash point, from nothing to the end."""
    async with gate:
        namespace = await fresh(kube)
        strikes.at[namespace], strikes.after[namespace] = number, after
        state = await walked(kube, transport, namespace)
        ended.append((strikes.struck.get(namespace, ""), state))


async def fresh(kube: Kube) -> str:
    """A namespace."""
    name = f"crash-{uuid.uuid4().hex[:8]}"
    await kube.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


async def walked(kube: Kube, transport, namespace: str):
    """Walk to Redis and back, tell how everything is, and take it away."""
    fleet = Fleet(transport, policy(namespace, replicas=1), every=0.25)
    await fleet.create()
    await fleet.walked("SQLite", SECONDS)
    for phase in ("RedisOnly", "SQLite"):
        await fleet.change(phase=phase)
        await fleet.walked(phase, SECONDS)
    state = await told(kube, fleet)
    await fleet.delete()
    await kube.delete(NAMESPACES, "", namespace)
    return state


async def told(kube: Kube, fleet: Fleet):
    """What must be the same, once the parts that are not needed any more are gone."""
    while names := {f"{kind.kind}/{body['metadata']['name']}" for kind in kinds.CHILDREN for body in await mine(kube, kind, fleet)}:
        if not any(name.endswith("/arbitrage-redis") for name in names):
            break
        await asyncio.sleep(0.5)
    body = await fleet.until(
        lambda body: condition(body, "Progressing", "reason") == "Settled" and condition(body, "Ready") == "True", SECONDS
    )
    status = body["status"]
    return {
        "register": {name: status[name] for name in ("from", "to", "authority", "recovering", "templateMode", "currentPhase")},
        "begun": status["epoch"] & 0xFFFFFFFF,
        "conditions": sorted((each["type"], each["status"], each["reason"]) for each in status["conditions"]),
        "children": sorted(names),
        "finalizers": body["metadata"].get("finalizers"),
        "annotations": body["metadata"].get("annotations"),
    }


async def mine(kube: Kube, kind: Resource, fleet: Fleet):
    return await kube.list(kind, fleet.namespace, "bidlock.io/policy")
