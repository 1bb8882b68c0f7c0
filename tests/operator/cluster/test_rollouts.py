"""How a human holds a fleet back, and what becomes of a step that fails, on a real API server."""

from __future__ import annotations

import asyncio
import re

import pytest
from simulation.world import Fleet, condition, policy

from bidlock_operator.kube import kinds

SINCE = re.compile(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LONG = 90


async def rests(fleet: Fleet, reason: str, mode: str) -> dict:
    """Wait until a fleet is held back in a mode, and says so of its present spec."""
    return await fleet.until(lambda body: held(body, reason) and body["status"]["to"] == mode, LONG)


def held(body: dict, reason: str) -> bool:
    """Whether a policy says, of its present spec, that it is held back."""
    status = body.get("status") or {}
    settled = status.get("from") == status.get("to")
    fresh = status.get("observedGeneration") == body["metadata"]["generation"]
    return fresh and settled and condition(body, "PhaseConverged", "reason") == reason


async def test_a_manual_fleet_goes_no_further_than_each_phase_that_is_approved_and_back_likewise(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace, phase="RedisOnly", rollout={"strategy": "Manual", "soakSeconds": 0}))
    await fleet.create()

    await rests(fleet, "AwaitingApproval", "sqlite")
    for approved, mode in (("DualSupport", "dual"), ("RedisPrimary", "primary")):
        await fleet.change(rollout={"approvedPhase": approved})
        await rests(fleet, "AwaitingApproval", mode)
    await fleet.change(rollout={"approvedPhase": "RedisOnly"})
    await fleet.walked("RedisOnly", LONG)

    await fleet.change(phase="DualSupport")
    await rests(fleet, "AwaitingApproval", "only")
    await fleet.change(rollout={"approvedPhase": "RedisPrimary"})
    await rests(fleet, "AwaitingApproval", "primary")
    await fleet.change(rollout={"approvedPhase": "DualSupport"})
    await fleet.walked("DualSupport", LONG)


async def test_a_fleet_that_awaits_approval_says_what_since_when_and_what_a_human_can_do(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace, phase="RedisOnly", rollout={"strategy": "Manual", "soakSeconds": 0}))
    await fleet.create()

    founded = condition(await rests(fleet, "AwaitingApproval", "sqlite"), "PhaseConverged", "message")
    await fleet.change(rollout={"approvedPhase": "DualSupport"})
    walked = await rests(fleet, "AwaitingApproval", "dual")
    message = condition(walked, "PhaseConverged", "message")

    assert "rests in mode dual on its way to RedisOnly" in message
    assert f"since {walked['status']['settledAt']}" in message
    assert "spec.rollout.approvedPhase" in message
    assert SINCE.search(founded)


async def test_a_fleet_held_before_the_flip_rests_in_strict_says_so_and_goes_on_when_told(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace, phase="RedisPrimary", rollout={"holdBeforeFlip": True, "soakSeconds": 0}))
    await fleet.create()

    await rests(fleet, "HeldBeforeFlip", "strict")
    rested = await fleet.until(lambda body: condition(body, "Ready") == "True")
    message = condition(rested, "PhaseConverged", "message")
    assert (rested["status"]["authority"], rested["status"]["currentPhase"]) == ("SQLite", "DualSupport")
    assert "both stores must agree" in message
    assert f"since {rested['status']['settledAt']}" in message
    assert "spec.rollout.holdBeforeFlip to false" in message

    await fleet.change(rollout={"holdBeforeFlip": False})
    assert (await fleet.walked("RedisPrimary", LONG))["status"]["authority"] == "Redis"


async def test_an_approval_taken_back_in_the_middle_of_a_step_turns_the_step_round(operated, node, transport, namespace):
    fleet = Fleet(transport, policy(namespace, rollout={"strategy": "Manual", "approvedPhase": "DualSupport"}))
    await fleet.create()
    await fleet.walked("SQLite")
    node.sick = in_mode("dual")
    await fleet.change(phase="DualSupport")
    await fleet.until(lambda body: condition(body, "Progressing", "reason") == "Rollout", LONG)

    await fleet.change(rollout={"approvedPhase": "SQLite"})
    await rests(fleet, "AwaitingApproval", "sqlite")


async def test_a_phase_in_between_is_rested_in_for_the_soak_and_says_until_when(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace, phase="RedisPrimary", rollout={"soakSeconds": 8}))
    await fleet.create()

    soaking = await rests(fleet, "Soaking", "dual")
    assert re.search(r"until \d{4}-", condition(soaking, "PhaseConverged", "message"))
    assert await modes_on_the_way(fleet, "RedisPrimary") >= {"strict", "primary"}


async def modes_on_the_way(fleet: Fleet, phase: str) -> set[str]:
    """The modes that a fleet goes to until it has converged."""
    seen: set[str] = set()

    def there(body: dict) -> bool:
        seen.add(body["status"]["to"])
        return condition(body, "PhaseConverged") == "True" and body["status"].get("currentPhase") == phase

    await fleet.until(there, LONG)
    return seen


async def test_canaries_change_over_first_and_the_others_follow_after_the_soak(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace, phase="SQLite", rollout={"canaryReplicas": 1, "soakSeconds": 5}))
    await fleet.create()
    await fleet.walked("SQLite")
    await fleet.change(phase="DualSupport")

    waits = await fleet.until(lambda body: condition(body, "Progressing", "reason") == "Canary", LONG)
    assert await eventually(fleet, {("sqlite", ""): 2, ("dual", "canary"): 1})
    assert "of 1 canaries are ready in mode dual" in condition(waits, "Progressing", "message")
    assert waits["status"]["templateMode"] == "sqlite"
    await fleet.walked("DualSupport", LONG)
    assert await eventually(fleet, {("dual", ""): 2})


async def test_a_canary_that_crashes_begins_its_soak_anew_and_nobody_follows_it(operated, node, transport, namespace):
    fleet = Fleet(transport, policy(namespace, rollout={"canaryReplicas": 1, "soakSeconds": 12}))
    await fleet.create()
    await fleet.walked("SQLite")
    node.sick = in_mode("dual")
    await fleet.change(phase="DualSupport")
    await fleet.until(lambda body: "0 of 1 canaries" in condition(body, "Progressing", "message"), LONG)

    await asyncio.sleep(14)
    assert (await fleet.read())["status"]["templateMode"] == "sqlite"
    node.sick = lambda pod: False
    node.fail(namespace, "bidder", ready=True)
    await fleet.until(lambda body: "1 of 1 canaries" in condition(body, "Progressing", "message"), LONG)
    await fleet.walked("DualSupport", LONG)


@pytest.mark.slow
@pytest.mark.parametrize("canaries", [0, 1], ids=["without canaries", "with a canary"])
async def test_a_step_that_takes_too_long_is_held_and_goes_on_when_the_cause_is_gone(operated, node, transport, namespace, canaries):
    fleet = await late(node, transport, namespace, canaryReplicas=canaries, onFailure="Hold")

    stalled = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "RolloutStalled", LONG)
    message = condition(stalled, "Stalled", "message")
    assert (stalled["status"]["from"], stalled["status"]["to"]) == ("sqlite", "dual")
    assert condition(stalled, "Ready") == "True"
    assert SINCE.search(message)
    assert "spec.phase back" in message

    node.sick = lambda pod: False
    node.fail(namespace, "bidder", ready=True)
    await fleet.walked("DualSupport", LONG)


@pytest.mark.slow
@pytest.mark.parametrize("canaries", [0, 1], ids=["without canaries", "with a canary"])
async def test_a_step_that_takes_too_long_is_rolled_back_and_tried_again_only_after_a_change(
    operated, node, transport, namespace, canaries
):
    fleet = await late(node, transport, namespace, canaryReplicas=canaries, onFailure="Rollback")

    given_up = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "Abandoned" and settled_in(body, "sqlite"), LONG)
    assert given_up["status"]["abandoned"]["phase"] == "DualSupport"
    assert await eventually(fleet, {("sqlite", ""): 2})
    assert condition(given_up, "Ready") == "True"
    node.sick = lambda pod: False
    epoch = given_up["status"]["epoch"]
    await asyncio.sleep(3)
    assert (await fleet.read())["status"]["epoch"] == epoch

    await fleet.change(bidder={"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:2"}]}}})
    await fleet.walked("DualSupport", LONG)


async def late(node, transport, namespace, **rollout) -> Fleet:
    """A fleet on its way to DualSupport, whose bidders never get ready there."""
    fleet = Fleet(transport, policy(namespace, rollout={"soakSeconds": 1, "progressDeadlineSeconds": 30, **rollout}))
    await fleet.create()
    await fleet.walked("SQLite")
    node.sick = in_mode("dual")
    await fleet.change(phase="DualSupport")
    return fleet


def settled_in(body: dict, mode: str) -> bool:
    return body["status"]["from"] == body["status"]["to"] == mode


def in_mode(mode: str):
    """Tells the bidders of a mode."""
    return lambda pod: pod["metadata"]["labels"].get("bidlock.io/mode") == mode


async def tracks(fleet: Fleet) -> dict[tuple[str, str], int]:
    """How many bidders are listed by mode and track."""
    found: dict[tuple[str, str], int] = {}
    for pod in await fleet.kube.list(kinds.POD, fleet.namespace, "app.kubernetes.io/component=bidder"):
        labels = pod["metadata"]["labels"]
        key = (labels["bidlock.io/mode"], "canary" if labels.get("bidlock.io/track") == "canary" else "")
        found[key] = found.get(key, 0) + 1
    return found


async def eventually(fleet: Fleet, wanted: dict[tuple[str, str], int]) -> bool:
    """Wait until the listed bidders are these."""
    async with asyncio.timeout(LONG):
        while await tracks(fleet) != wanted:
            await asyncio.sleep(0.1)
    return True
