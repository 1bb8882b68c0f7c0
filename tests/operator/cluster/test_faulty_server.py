"""Walks while the API server, or the way to it, does everything wrong that it can; each ends as an undisturbed one.

Between the operator and the real API server is a proxy, so that timeouts, pools and watches are those of the real clients.
"""

from __future__ import annotations

import asyncio
import re
import sys

import pytest
from simulation.faults import REQUESTS, WATCHES, Treatment, Weather
from simulation.proxy import nothing
from simulation.walking import difference, fresh, walked
from simulation.world import leading, operator

from bidlock_operator.kube.client import Kube

pytestmark = pytest.mark.slow

SECONDS = 240
SHARE = 0.2


@pytest.fixture
async def reference(transport, node):
    """How an undisturbed walk ends."""
    kube = Kube(transport)
    namespace = await fresh(kube, "fair")
    async with operator(namespace):
        return await walked(kube, transport, namespace, SECONDS)


async def begun(between, memo):
    """Wait until an operator leads, and kopf has looked once at what there is: a torn answer to that ends its process."""
    await leading(memo)
    async with asyncio.timeout(60):
        while not between.watched_by("kopf/"):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("stream", WATCHES, ids=lambda stream: stream.value)
async def test_a_walk_ends_the_same_whatever_befalls_its_watches(between, reference, transport, node, stream):
    kube = Kube(transport)
    namespace = await fresh(kube, "watched")
    async with operator(namespace, API_TIMEOUT="1", WATCH_SILENCE="2") as memo:
        await begun(between, memo)
        between.strike(Weather(1, watches=(stream,)))
        state = await walked(kube, transport, namespace, SECONDS)
        between.strike(nothing)

    sys.stderr.write(f"\n{between.done}\n")
    assert between.done[stream.value] > 10
    assert not difference(reference, state)


async def test_a_walk_ends_the_same_whatever_befalls_its_requests(between, reference, transport, node):
    """One fleet for each fault, all of them at once."""
    kube = Kube(transport)
    places = {await fresh(kube, "asked"): fault for fault in REQUESTS}
    weathers = {namespace: Weather(1, requests=(fault,), share=SHARE) for namespace, fault in places.items()}

    def choose(request) -> Treatment:
        found = re.search(r"/namespaces/([^/]+)/", request.path)
        return weathers[found[1]](request) if found and found[1] in weathers else Treatment()

    async with operator("default", everywhere=True, API_TIMEOUT="1", WATCH_SILENCE="2") as memo:
        await begun(between, memo)
        between.strike(choose)
        states = await asyncio.gather(*(walked(kube, transport, namespace, SECONDS) for namespace in places))
        between.strike(nothing)

    sys.stderr.write(f"\n{between.done}\n")
    assert set(between.done) == {fault.value for fault in REQUESTS}
    assert not {fault.value: found for fault, state in zip(places.values(), states, strict=True) if (found := difference(reference, state))}


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_walk_ends_the_same_when_everything_happens_together(between, reference, transport, node, seed):
    kube = Kube(transport)
    namespace = await fresh(kube, "mixed")
    async with operator(namespace, API_TIMEOUT="1", WATCH_SILENCE="2") as memo:
        await begun(between, memo)
        between.strike(Weather(seed, requests=REQUESTS, watches=WATCHES, share=SHARE))
        state = await walked(kube, transport, namespace, SECONDS)
        between.strike(nothing)

    sys.stderr.write(f"\n{between.done}\n")
    assert not difference(reference, state)
