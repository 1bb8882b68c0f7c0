"""Conditions of a policy's status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bidlock_operator.conditions import Condition, ConditionType, Status, drop_condition, set_condition

THEN, NOW = "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"
READY = Condition(ConditionType.READY, Status.TRUE, "Settled", "all bidders run", 3, THEN)
DEGRADED = Condition(ConditionType.DEGRADED, Status.FALSE, "Healthy", "", 3, THEN)


def test_a_new_condition_gets_the_present_time():
    assert set_condition((), READY, now=NOW) == (replace(READY, last_transition_time=NOW),)


def test_a_changed_status_gets_the_present_time():
    (condition,) = set_condition((READY,), replace(READY, status=Status.UNKNOWN), now=NOW)

    assert condition.last_transition_time == NOW


@pytest.mark.parametrize(
    "change", [{"reason": "Rollout"}, {"message": "2 of 6"}, {"observed_generation": 4}], ids=lambda change: next(iter(change))
)
def test_an_unchanged_status_keeps_its_time_whatever_else_changes(change):
    (condition,) = set_condition((READY,), replace(READY, **change), now=NOW)

    assert condition == replace(READY, **change, last_transition_time=THEN)


def test_an_unchanged_condition_changes_nothing():
    assert set_condition((READY, DEGRADED), READY, now=NOW) == (READY, DEGRADED)


def test_other_conditions_stay_in_their_order():
    changed = set_condition((READY, DEGRADED), replace(READY, status=Status.FALSE), now=NOW)

    assert [condition.type for condition in changed] == [ConditionType.READY, ConditionType.DEGRADED]
    assert changed[1] is DEGRADED


def test_a_dropped_condition_is_gone_and_the_others_stay():
    assert drop_condition((READY, DEGRADED), ConditionType.READY) == (DEGRADED,)


def test_a_condition_survives_its_manifest():
    assert Condition.read(READY.manifest()) == READY


def test_a_manifest_has_the_fields_of_kubernetes_conditions():
    assert set(READY.manifest()) == {"type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"}
