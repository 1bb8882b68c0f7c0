"""A leader that is cut off from the API server: another one takes over, and nothing that the old one sent late matters.

Between the first operator, a process, and the API server is a proxy; the second reaches the server itself.
"""

from __future__ import annotations

import asyncio
import time

import pytest
from simulation.faults import Fault, Treatment
from simulation.proxy import proxy
from simulation.replicas import Replica
from simulation.world import Fleet, policy

from bidlock_operator.election import DEPOSED
from bidlock_operator.kube import kinds

pytestmark = pytest.mark.slow

BIDDERS = "arbitrage-bidder"


@pytest.fixture
async def between(transport):
    async with proxy() as made:
        yield made


@pytest.fixture
async def replica(namespace, defined, tmp_path, between):
    """Starts operators for the test's namespace: `cut off` behind the proxy, or not."""
    started = []

    def start(*, proxied: bool) -> Replica:
        kubeconfig = between.kubeconfig(tmp_path / "proxied.kubeconfig") if proxied else defined.kubeconfig
        started.append(Replica(namespace, kubeconfig, tmp_path / f"replica-{len(started)}.log"))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
async def first(replica):
    made = replica(proxied=True)
    await made.leads()
    return made


@pytest.fixture
async def second(replica, first):
    made = replica(proxied=False)
    await made.stands_by()
    return made


@pytest.fixture
async def fleet(first, transport, node, namespace):
    made = Fleet(transport, policy(namespace))
    await made.create()
    await made.walked("SQLite")
    return made


async def test_a_leader_that_is_cut_off_ends_and_another_one_takes_over(first, second, fleet, between, record_property):
    between.open.clear()
    began = time.monotonic()

    assert await first.ended() == DEPOSED
    assert second.epoch == 0, "two led at once"
    assert await second.leads() > first.epoch
    record_property("told", f"a leader cut off from the API server: another one led after {time.monotonic() - began:.1f} s")
    await fleet.until(lambda body: body["status"]["operatorEpoch"] == second.epoch)


def hold(between, ending: str) -> None:
    """From now on hold the writes to what ends so."""

    def choose(request) -> Treatment:
        writes = request.method == "PATCH" and request.path.endswith(ending) and "dryRun" not in request.query
        return Treatment(Fault.HELD if writes else Fault.NONE)

    between.choose = choose


async def held(between) -> str:
    """Wait for a request that is held."""
    async with asyncio.timeout(60):
        while not between.held:
            await asyncio.sleep(0.02)
    return next(iter(between.held))


async def answered(between, name: str) -> int:
    """Let a held request go; what the server said."""
    earlier = len(between.answers)
    between.held[name].set()
    async with asyncio.timeout(60):
        while not (said := [status for asked, status in between.answers[earlier:] if asked == name]):
            await asyncio.sleep(0.02)
    return said[0]


async def test_a_status_that_a_leader_sent_before_it_was_cut_off_is_refused_when_it_arrives_after_another_one_acted(
    first, second, fleet, between
):
    hold(between, "/status")
    await fleet.change(replicas=3)
    name = await held(between)
    between.open.clear()
    await second.leads()
    after = await fleet.until(lambda body: body["status"]["operatorEpoch"] == second.epoch and body["status"].get("readyReplicas") == 3)

    assert await answered(between, name) == 409
    now = await fleet.read()
    assert (now["status"]["operatorEpoch"], now["status"]["conditions"]) == (second.epoch, after["status"]["conditions"])


async def test_a_child_that_a_leader_sent_before_it_was_cut_off_is_put_right_by_the_next_one(first, second, fleet, between):
    """A child is applied without a condition, so a late one gets through; nothing of the protocol hangs on it."""
    hold(between, f"/deployments/{BIDDERS}")
    await fleet.change(replicas=3)
    name = await held(between)
    between.open.clear()
    await second.leads()
    await fleet.change(replicas=4)
    await fleet.until(lambda body: body["status"].get("readyReplicas") == 4)
    before = await fleet.kube.get(kinds.DEPLOYMENT, fleet.namespace, BIDDERS)

    assert await answered(between, name) == 200
    async with asyncio.timeout(60):
        while (found := await fleet.kube.get(kinds.DEPLOYMENT, fleet.namespace, BIDDERS))["spec"]["replicas"] != 4:
            await asyncio.sleep(0.02)
    assert found["metadata"]["generation"] > before["metadata"]["generation"], "the late one changed nothing"
