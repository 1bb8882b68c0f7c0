"""From what was seen to conditions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bidlock.migration import actions
from bidlock.migration.register import BucketRegister, Register
from bidlock.migration.sight import Bucket, Fleet, Origin, Quarantine, Sight
from bidlock.modes import Role
from bidlock_operator import conditions, policies, reasons
from bidlock_operator.conditions import Condition, ConditionType, Facts, Status
from bidlock_operator.conditions.deriving import derive
from bidlock_operator.reasons import Reason

SINCE = "2026-03-01T10:00:00Z"
CORE = Path(__file__).parents[3] / "core/src/bidlock/migration"


def policy(phase="DualSupport", replicas=6, **spec):
    body = {"phase": phase, "replicas": replicas, "bidder": {"template": {}}, **spec}
    return policies.read({"metadata": {"namespace": "bids", "name": "arbitrage", "uid": "u", "generation": 7}, "spec": body})


def register(source="dual", to=None, authority=Role.ORIGIN):
    return Register(1 << 32, source, to or source, authority, "file", (BucketRegister("n", 1),))


LIVE = Bucket(incarnation=1, modes=frozenset({"dual"}), domain="file")


def sight(of, bucket=LIVE, origin=None, modes=None):
    return Sight(of, origin or Origin(domain="file"), (bucket,), Fleet(of.to, frozenset({of.to} if modes is None else modes)))


def facts(of=None, bucket=LIVE, *, asked=None, origin=None, modes=None, **more):
    at = of or register()
    defaults = {"ready": 6, "wanted": 6, "redis_needed": True, "action": actions.Noop(), "since": SINCE}
    return Facts(asked or policy(), at, sight(at, bucket, origin, modes), **(defaults | more))


def told(of: Facts):
    """Status and reason by type."""
    return {condition.type.value: f"{condition.status.value} {condition.reason}" for condition in derive(of)}


RESTING = {
    "Ready": "True Bidding",
    "Progressing": "False Settled",
    "Degraded": "False Healthy",
    "RedisReady": "True Open",
    "PhaseConverged": "True Converged",
    "ConfigurationWarning": "False NoWarnings",
}


def moving(reason, **more):
    return RESTING | {"Progressing": f"True {reason}", "Reconciling": f"True {reason}", "PhaseConverged": f"False {reason}"} | more


def stuck(reason, **more):
    waits = {
        "Progressing": f"False {reason}",
        "Stalled": f"True {reason}",
        "Degraded": f"True {reason}",
        "PhaseConverged": f"False {reason}",
    }
    return RESTING | waits | more


def held(reason, **more):
    return RESTING | {"Progressing": f"False {reason}", "PhaseConverged": f"False {reason}"} | more


AWAY = Bucket(reachable=False)
RESTARTED = replace(LIVE, running=False, quarantine=Quarantine("q-1"))
SEALED = replace(LIVE, sealed="s-1", modes=frozenset())
ROLLING = register("dual", "strict")
PRIMARY = register("primary", authority=Role.TARGET)

CASES = {
    "a fleet at rest": (facts(), RESTING),
    "a fleet on SQLite alone": (
        facts(register("sqlite"), asked=policy("SQLite"), redis_needed=False),
        RESTING | {"RedisReady": "Unknown NotNeeded"},
    ),
    "a fleet that is scaled to zero": (facts(asked=policy(replicas=0), ready=0, wanted=0), RESTING | {"Ready": "True ScaledToZero"}),
    "a fleet without a bidder that is ready": (
        facts(ready=0),
        RESTING | {"Ready": "False BiddersUnavailable", "Degraded": "True BiddersUnavailable"},
    ),
    "a fleet with one bidder that is ready": (facts(ready=1), RESTING),
    "a fleet that has not begun": (
        Facts(policy(), None, None, None),
        moving("Founding", Ready="False Founding", RedisReady="Unknown Founding"),
    ),
    "a step that begins": (facts(asked=policy("RedisPrimary"), action=actions.Begin("dual", "strict")), moving("Walking")),
    "a step that rolls": (
        facts(ROLLING, asked=policy("RedisPrimary"), action=actions.Wait("Rollout", "bidders in mode dual are still listed")),
        moving("Rollout"),
    ),
    "a step that waits for a bidder in no mode": (
        facts(ROLLING, asked=policy("RedisPrimary"), modes={"strict", "unknown"}, action=actions.Wait("Rollout", "unknown is listed")),
        moving("UnknownMode"),
    ),
    "a flip that drains": (
        facts(register("strict", "primary"), asked=policy("RedisPrimary"), action=actions.Wait("Draining", "leases run out")),
        moving("Draining"),
    ),
    "a step that takes too long": (
        facts(ROLLING, asked=policy("RedisPrimary"), action=actions.Wait("Rollout", "late"), overdue=True),
        stuck("RolloutStalled"),
    ),
    "a walk that was given up": (facts(asked=policy("RedisPrimary"), abandoned=True), stuck("Abandoned")),
    "a phase that soaks": (facts(asked=policy("RedisPrimary"), soaking_until="2026-03-01T11:00:00Z"), held("Soaking")),
    "a phase that is not approved": (
        facts(asked=policy("RedisPrimary", rollout={"strategy": "Manual"})),
        held("AwaitingApproval"),
    ),
    "a hold before the flip": (
        facts(register("strict"), asked=policy("RedisPrimary", rollout={"holdBeforeFlip": True})),
        held("HeldBeforeFlip"),
    ),
    "a pause": (facts(paused=True), RESTING | {"Progressing": "False Paused"}),
    "a pause on the way": (facts(ROLLING, asked=policy("RedisPrimary"), paused=True, action=None), held("Paused")),
    "Redis away at dual": (facts(bucket=AWAY), RESTING | {"RedisReady": "False RedisUnavailable"}),
    "Redis away before a step forward": (
        facts(bucket=AWAY, asked=policy("RedisPrimary"), action=actions.Refuse("RedisUnavailable", "mend it first")),
        moving("RedisUnavailable", Degraded="True RedisUnavailable", RedisReady="False RedisUnavailable"),
    ),
    "Redis away at primary": (
        facts(PRIMARY, AWAY, asked=policy("RedisPrimary")),
        RESTING | {"Ready": "False RedisUnavailable", "RedisReady": "False RedisUnavailable"},
    ),
    "Redis away on the way back": (
        facts(register("strict", "dual", Role.TARGET), AWAY, asked=policy(), action=actions.Wait("RollbackBlocked", "bring it back")),
        moving("RollbackBlocked", Degraded="True RollbackBlocked", RedisReady="False RedisUnavailable"),
    ),
    "Redis restarted": (
        facts(PRIMARY, RESTARTED, asked=policy("RedisPrimary"), action=actions.Incarnate(0, "q-1")),
        moving("Walking", Ready="False Opening", RedisReady="False Opening", Degraded="True Opening", PhaseConverged="True Converged"),
    ),
    "Redis sealed": (
        facts(PRIMARY, SEALED, asked=policy("RedisPrimary"), action=actions.Wait("Sealed", "it is safe to stop the store")),
        moving("Sealed", Ready="False Sealed", RedisReady="False Sealed", PhaseConverged="True Converged"),
    ),
    "the markers lost": (
        facts(PRIMARY, RESTARTED, asked=policy("RedisPrimary"), action=actions.Halt("AuthorityLost", "name q-1", 0, "q-1")),
        stuck("AuthorityLost", Ready="False AuthorityLost", RedisReady="False AuthorityLost", PhaseConverged="True Converged"),
    ),
    "another fleet's store": (
        facts(action=actions.Refuse("OwnerMismatch", "it belongs to another")),
        stuck("OwnerMismatch", Ready="False OwnerMismatch", PhaseConverged="True Converged"),
    ),
    "a Redis that may forget": (
        facts(register("strict"), asked=policy("RedisPrimary"), action=actions.Refuse("RedisNotDurable", "it may lose writes")),
        stuck("RedisNotDurable"),
    ),
    "a Redis that evicts": (
        facts(bucket=AWAY, problems={"RedisEvictionUnsafe": "it may evict keys"}),
        stuck("RedisEvictionUnsafe", RedisReady="False RedisEvictionUnsafe", PhaseConverged="True Converged"),
    ),
    "a template that the API server refuses": (
        facts(problems={"TemplateInvalid": "image: Required value"}),
        stuck("TemplateInvalid", PhaseConverged="True Converged"),
    ),
    "a Redis that the API server refuses": (
        facts(problems={"ChildRefused": "must be less than or equal to memory limit"}),
        stuck("ChildRefused", PhaseConverged="True Converged"),
    ),
    "the markers lost, and a Redis that the API server refuses": (
        facts(
            PRIMARY,
            RESTARTED,
            asked=policy("RedisPrimary"),
            action=actions.Halt("AuthorityLost", "name q-1", 0, "q-1"),
            problems={"ChildRefused": "must be less than or equal to memory limit"},
        ),
        stuck("AuthorityLost", Ready="False AuthorityLost", RedisReady="False AuthorityLost", PhaseConverged="True Converged"),
    ),
    "a mode of Redis that this version has not": (
        Facts(policy(redis={"mode": "Sentinel"}), None, problems={"RedisModeUnsupported": "Sentinel comes later"}),
        stuck("RedisModeUnsupported", Ready="False RedisModeUnsupported", RedisReady="Unknown RedisModeUnsupported"),
    ),
    "SQLite away at dual": (
        facts(origin=Origin(reachable=False), problems={"SQLiteUnavailable": "the agent does not answer"}),
        RESTING
        | {
            "Ready": "Unknown SQLiteUnavailable",
            "Progressing": "True SQLiteUnavailable",
            "Reconciling": "True SQLiteUnavailable",
            "Degraded": "True SQLiteUnavailable",
        },
    ),
    "a bidder of another mode at rest": (facts(modes={"dual", "sqlite"}), RESTING | {"PhaseConverged": "False Walking",
        "Progressing": "True Walking", "Reconciling": "True Walking"}),
    "more bidders than files allow": (
        facts(asked=policy(sqlite={"topology": "PerPod", "storage": {"size": "1Gi"}})),
        RESTING | {"ConfigurationWarning": "True ReplicasCapped"},
    ),
    "files that end with their pods": (
        facts(asked=policy(replicas=1, sqlite={"topology": "PerPod"})),
        RESTING | {"ConfigurationWarning": "True TopologyUnsafe"},
    ),
    "a server that need not be durable": (
        facts(asked=policy(redis={"durability": "None"})),
        RESTING | {"ConfigurationWarning": "True RedisNotDurable"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "expected"), CASES.values(), ids=CASES)
def test_conditions_of(of, expected):
    assert told(of) == expected


@pytest.mark.parametrize("of", [case[0] for case in CASES.values()], ids=CASES)
def test_a_condition_that_calls_for_a_human_says_what_to_do_and_where_to_read_on(of):
    for condition in derive(of):
        if Reason(condition.reason) in reasons.HELP:
            assert "What you can do: " in condition.message
            assert condition.message.endswith(f"docs/runbook/{condition.reason}.md")


@pytest.mark.parametrize("of", [case[0] for case in CASES.values()], ids=CASES)
def test_every_condition_has_a_message_and_names_the_generation_it_answers(of):
    assert all(condition.message and condition.observed_generation == of.policy.generation for condition in derive(of))


def test_what_is_awaited_says_since_when():
    message = next(c.message for c in derive(CASES["a flip that drains"][0]) if c.type is ConditionType.PROGRESSING)

    assert message.startswith(f"leases run out, since {SINCE}.")


@pytest.mark.parametrize(
    "case", ["a phase that soaks", "a phase that is not approved", "a hold before the flip", "a walk that was given up"]
)
def test_a_fleet_that_rests_short_of_what_is_asked_for_says_since_when(case):
    message = next(c.message for c in derive(replace(CASES[case][0], since="", resting=SINCE)) if c.type is ConditionType.PHASE_CONVERGED)

    assert f", since {SINCE}. What you can do: " in message


def test_a_loss_names_the_nonce_that_accepts_it():
    message = next(c.message for c in derive(CASES["the markers lost"][0]) if c.type is ConditionType.DEGRADED)

    assert "q-1" in message
    assert "spec.acceptAuthorityLoss" in message


@pytest.mark.parametrize("of", [case[0] for case in CASES.values()], ids=CASES)
def test_nothing_is_written_while_nothing_changes(of):
    first = conditions.merged((), derive(of), now="2026-03-01T10:00:00Z")

    assert conditions.merged(first, derive(of), now="2026-03-01T12:00:00Z") == first


def test_a_condition_that_does_not_apply_any_more_is_left_out():
    stalled = Condition(ConditionType.STALLED, Status.TRUE, "Abandoned", "x", 7, SINCE)

    assert ConditionType.STALLED not in {condition.type for condition in conditions.merged((stalled,), derive(facts()), now=SINCE)}


def test_every_reason_that_the_core_can_give_is_in_the_list():
    text = "".join((CORE / name).read_text() for name in ("deciding.py", "rebuilding.py"))
    words = set(re.findall(r'(?:Wait|Refuse|Halt)\(\s*"(\w+)"', text)) | set(re.findall(r'"(RollbackBlocked)"', text))

    assert words
    assert words <= set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_one_word_in_camel_case(reason):
    assert re.fullmatch(r"[A-Z][A-Za-z]+", reason.value)
