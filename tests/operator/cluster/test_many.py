"""Many policies under one operator, which is a process of its own here: what it asks of the API server at rest, and its memory."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import pytest
import yaml
from simulation.replicas import Replica
from simulation.world import Fleet, condition, policy

from bidlock_operator import resources
from bidlock_operator.kube.client import Kube

pytestmark = pytest.mark.slow

VALUES = Path(__file__).parents[3] / "charts/bidlock/values.yaml"
POLICIES = 200
REST = 40.0
"""Seconds at rest that are looked at: each policy's stores are looked at once or twice in them, and a silent watch begins anew."""
WATCHES = 18
"""Watches that begin in that time at most: each of nine kinds once, or twice."""


@pytest.fixture
async def replica(namespace, defined, tmp_path):
    """One operator for the test's namespace, leading."""
    started = Replica(namespace, defined.kubeconfig, tmp_path / "operator.log")
    await started.leads()
    yield started
    started.stop()


async def test_of_many_policies_at_rest_nothing_is_written_and_they_fit_into_the_charts_memory(
    replica, transport, node, namespace, record_property
):
    for number in range(POLICIES):
        await Fleet(transport, policy(namespace, name=f"fleet-{number}", replicas=1)).create()
    await ready(Kube(transport), namespace)

    before = requests(replica)
    await asyncio.sleep(REST)
    asked = requests(replica) - before
    memory = psutil.Process(replica.process.pid).memory_info().rss

    record_property("told", f"{POLICIES} policies at rest: {dict(asked)} requests in {REST:g} s, {memory / 2**20:.0f} MiB")
    assert asked["WATCH"] <= WATCHES
    assert asked["GET"] <= 2 * POLICIES, "more than the token of its agent, for each look at a policy's stores"
    assert not asked.keys() - {"WATCH", "GET"}, "something was written"
    assert memory < limit()


def limit() -> int:
    """Bytes that the chart lets the operator have."""
    said = yaml.safe_load(VALUES.read_text())["resources"]["limits"]["memory"]
    return int(said.removesuffix("Mi")) * 2**20


async def ready(kube: Kube, namespace: str) -> None:
    """Wait until every policy is where it should be, and nothing more is written."""
    async with asyncio.timeout(1200):
        seen: set[str] = set()
        while True:
            bodies = await kube.list(resources.POLICY, namespace)
            now = {body["metadata"]["resourceVersion"] for body in bodies}
            if now == seen and all(condition(body, "Ready") == "True" for body in bodies):
                return
            seen = now
            await asyncio.sleep(5)


def requests(replica: Replica) -> Counter[str]:
    """What an operator has asked of the API server so far, by method."""
    with urllib.request.urlopen(f"http://127.0.0.1:{replica.port}/metrics") as page:
        text = page.read().decode()
    return Counter({method: int(float(count)) for method, count in re.findall(r'api_requests_total\{method="(\w+)"\} (\S+)', text)})
