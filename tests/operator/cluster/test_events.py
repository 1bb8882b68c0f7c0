"""Events of a policy on a real API server."""

from __future__ import annotations

import asyncio

from simulation.world import Fleet, condition, operator, policy

from bidlock_operator.acting import events
from bidlock_operator.kube.kinds import EVENT

BROKEN = {"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1", "ports": [{"containerPort": 99999}]}]}}}


async def told(fleet: Fleet, reason: str) -> list[dict]:
    """The events with a reason."""
    return [event for event in await fleet.kube.list(EVENT, fleet.namespace) if event["reason"] == reason]


async def looked(memo, fleet: Fleet, times: int) -> None:
    """Let the operator look again, once it leads."""
    while "operator" not in memo:
        await asyncio.sleep(0.05)
    for _ in range(times):
        memo.operator.news.wake((fleet.namespace, fleet.name))
        await asyncio.sleep(0.3)


async def broken(memo, fleet: Fleet) -> None:
    """Have something to tell."""
    await fleet.create()
    await fleet.walked("SQLite", 90)
    await fleet.change(bidder=BROKEN)
    await fleet.until(lambda body: condition(body, "Stalled", "reason") == "TemplateInvalid")
    await looked(memo, fleet, 5)


async def test_what_happens_again_is_one_event_that_is_told_once(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace))
    await broken(operated, fleet)

    (event,) = await told(fleet, "TemplateInvalid")
    assert (event["type"], event["regarding"]["name"]) == ("Warning", fleet.name)
    assert "99999" in event["note"]
    assert not event.get("series")


async def test_what_goes_on_for_long_is_counted_in_the_event_there_is(operated, transport, namespace, monkeypatch):
    monkeypatch.setattr(events, "AGAIN_EVERY", 0.5)
    fleet = Fleet(transport, policy(namespace))
    await broken(operated, fleet)

    async with asyncio.timeout(60):
        while (await told(fleet, "TemplateInvalid"))[0].get("series", {}).get("count", 0) < 4:
            await looked(operated, fleet, 1)
    assert len(await told(fleet, "TemplateInvalid")) == 1


async def test_an_event_that_the_server_has_forgotten_is_told_again(operated, transport, namespace, monkeypatch):
    monkeypatch.setattr(events, "AGAIN_EVERY", 0.5)
    fleet = Fleet(transport, policy(namespace))
    await broken(operated, fleet)
    (event,) = await told(fleet, "TemplateInvalid")
    await fleet.kube.delete(EVENT, fleet.namespace, event["metadata"]["name"])

    async with asyncio.timeout(60):
        while not await told(fleet, "TemplateInvalid"):
            await looked(operated, fleet, 1)


async def test_an_operator_that_starts_again_counts_on_in_the_event_there_is(transport, node, namespace, monkeypatch):
    fleet = Fleet(transport, policy(namespace))
    async with operator(namespace) as memo:
        await broken(memo, fleet)
    async with operator(namespace) as memo:
        await looked(memo, fleet, 5)
        async with asyncio.timeout(60):
            while not (await told(fleet, "TemplateInvalid"))[0].get("series"):
                await looked(memo, fleet, 1)

    (event,) = await told(fleet, "TemplateInvalid")
    assert event["series"]["count"] == 2


async def test_kubectl_shows_the_events_of_a_policy(operated, transport, namespace, defined):
    fleet = Fleet(transport, policy(namespace))
    await broken(operated, fleet)
    defined.kubectl("api-resources", "--api-group=bidlock.io", "--cached=false")  # what kubectl remembers is older than the definition

    for command in (("events", f"--for=blp/{fleet.name}"), ("describe", f"blp/{fleet.name}")):
        assert "TemplateInvalid" in defined.kubectl(*command, "-n", namespace)
