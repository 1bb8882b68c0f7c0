"""Leader election against a real API server; leaders are processes that are really stopped and killed."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from simulation.replicas import Replica
from simulation.world import Fleet, policy

from bidlock_operator.acting import recording
from bidlock_operator.election import DEPOSED, Election, Timing
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import Conflict, Invalid, Unanswered
from bidlock_operator.kube.kinds import LEASE

TAKEOVER = 15.0


@pytest.fixture
def replica(namespace, defined, tmp_path):
    """Starts operators for the test's namespace."""
    started = []

    def start() -> Replica:
        started.append(Replica(namespace, defined.kubeconfig, tmp_path / f"replica-{len(started)}.log"))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
async def test_a_standby_takes_over_from_a_leader_that_ends(replica, transport, node, namespace, how, record_property):
    first = replica()
    epoch = await first.leads()
    second = replica()
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    await fleet.walked("SQLite")
    await second.stands_by()

    began = time.monotonic()
    first.process.send_signal(how)
    assert await second.leads(TAKEOVER) > epoch
    record_property("told", f"a leader gone by {how.name}: another one led after {time.monotonic() - began:.1f} s")
    await fleet.until(lambda body: body["status"]["operatorEpoch"] == second.epoch)


@pytest.mark.slow
async def test_a_leader_that_was_paused_ends_when_it_goes_on_and_has_changed_nothing(replica, transport, node, namespace):
    first = replica()
    await first.leads()
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    await fleet.walked("SQLite")
    first.process.send_signal(signal.SIGSTOP)
    second = replica()
    await second.leads(40)
    after = await fleet.until(lambda body: body["status"]["operatorEpoch"] == second.epoch)

    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(10) == DEPOSED
    assert (await fleet.read())["status"]["operatorEpoch"] == after["status"]["operatorEpoch"]


async def test_a_status_of_an_older_leader_is_refused_by_the_server(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace))
    before = await fleet.create()
    after = await fleet.until(lambda body: (body.get("status") or {}).get("operatorEpoch"))
    kube = Kube(transport)

    with pytest.raises(Conflict):
        await recording.record(kube, before, {"operatorEpoch": 9})
    with pytest.raises(Invalid, match="operatorEpoch may not go back"):
        await recorded(kube, fleet, {"operatorEpoch": after["status"]["operatorEpoch"] - 1})


async def recorded(kube: Kube, fleet: Fleet, change: dict) -> dict:
    """Write a status onto whatever version there is."""
    while True:
        body = await fleet.read()
        try:
            return await recording.record(kube, body, body["status"] | change)
        except Conflict:
            continue


QUICK = Timing(duration=1.0, deadline=0.8, retry=0.2, request=0.5)


async def test_only_one_of_many_leads(transport, namespace):
    many = [Election(Kube(transport), namespace, "one", timing=QUICK) for _ in range(5)]
    tasks = [asyncio.create_task(each.won()) for each in many]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    keeping = [asyncio.create_task(each.keep()) for each in many if each.leading]
    await asyncio.sleep(2)

    assert sum(each.leading for each in many) == 1
    for task in (*tasks, *keeping):
        task.cancel()
    await asyncio.gather(*tasks, *keeping, return_exceptions=True)
    for each in many:
        await each.release()


class Lossy:
    """Carries requests; what writes is refused before it is done, or loses its reply after it."""

    def __init__(self, transport) -> None:
        self.transport, self.done, self.failing = transport, False, False

    async def send(self, request):
        if not self.failing or request.method == "GET":
            return await self.transport.send(request)
        if self.done:
            await self.transport.send(request)
        raise Unanswered("made up")


@pytest.mark.parametrize("done", [False, True], ids=["not written", "written, the reply lost"])
async def test_only_a_renewal_that_was_written_is_one(transport, namespace, done):
    lossy = Lossy(transport)
    one = Election(Kube(lossy), namespace, "one")
    await one.won()
    lossy.done, lossy.failing = done, True

    assert await one.renew() is done
    lossy.failing = False
    await one.release()


async def test_a_lease_given_back_is_taken_at_once_under_a_higher_epoch(transport, namespace):
    first, second = (Election(Kube(transport), namespace, "one") for _ in range(2))
    epoch = await first.won()
    await first.release()

    async with asyncio.timeout(3):
        assert await second.won() > epoch
    await second.release()


async def test_after_the_lease_was_deleted_the_epoch_is_above_that_of_every_policy(transport, namespace, node):
    from simulation.world import operator

    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    async with operator(namespace):
        await fleet.walked("SQLite")
    high = await recorded(Kube(transport), fleet, {"operatorEpoch": 41})
    await fleet.kube.delete(LEASE, "default", f"operator-{namespace}")

    async with operator(namespace):
        await fleet.until(lambda body: body["status"]["operatorEpoch"] > 41)
    assert high["status"]["operatorEpoch"] == 41


def test_times_that_would_let_two_lead_are_refused():
    with pytest.raises(ValueError, match="must hold"):
        Timing(duration=5, deadline=6)
