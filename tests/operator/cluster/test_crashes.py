"""The operator is stopped before and after every request of a walk to Redis and back; each time the fleet ends the same.

Every crash point has a namespace of its own, with a real Redis and a real SQLite file, and many are walked at once.
Every request is struck once, in turn before and after it. `BIDLOCK_CRASH_POINTS=all` strikes each twice; a number is how
many points are taken, evenly spread.
"""

from __future__ import annotations

import asyncio
import os

import pytest
from simulation.crashing import Strikes
from simulation.walking import difference, fresh, walked
from simulation.world import operator

from bidlock_operator import running
from bidlock_operator.kube.client import Kube

AT_ONCE = 12
EVERY = 0.25
"""Seconds between two looks of a test: as many as are at once would otherwise ask the API server more than the operator does."""
SECONDS = 500


@pytest.mark.slow
async def test_every_crash_point_ends_in_the_same_state(transport, node, monkeypatch, record_property):
    strikes = Strikes()
    monkeypatch.setattr(running, "Counting", strikes.transport)
    kube = Kube(transport)
    async with operator("default", everywhere=True):
        reference = await walked(kube, transport, await fresh(kube, "crash"), SECONDS, every=EVERY)
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
        namespace = await fresh(kube, "crash")
        strikes.at[namespace], strikes.after[namespace] = number, after
        state = await walked(kube, transport, namespace, SECONDS, every=EVERY)
        ended.append((strikes.struck.get(namespace, ""), state))
