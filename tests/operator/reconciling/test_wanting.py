"""What is wanted of a fleet right now, and how long a step may take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bidlock.migration.register import Register
from bidlock.modes import Role
from bidlock_operator import policies
from bidlock_operator.reconciling import wanting
from bidlock_operator.statuses import Remembered

BEGAN = datetime(2026, 3, 1, 10, tzinfo=UTC)
TTL, MARGIN, DEADLINE, SOAK = 300, 5, 60, 40


def step(source, to, after, **rollout):
    """What is wanted of a running step, some seconds after it began."""
    spec = {
        "phase": "RedisOnly",
        "bidder": {"template": {}},
        "lock": {"ttlSeconds": TTL, "marginSeconds": MARGIN},
        "rollout": {"progressDeadlineSeconds": DEADLINE, "soakSeconds": SOAK, **rollout},
    }
    policy = policies.read({"metadata": {"name": "p", "uid": "u", "generation": 3}, "spec": spec})
    register = Register(1 << 32, source, to, Role.ORIGIN, "file")
    remembered = Remembered(register=register, ttl_max_seconds=TTL, started_at="2026-03-01T10:00:00Z")
    found = wanting.want(policy, remembered, register, BEGAN + timedelta(seconds=after), sealed=False, held=False)
    return found.overdue, wanting.gives_up(policy, found)


@pytest.mark.parametrize(
    ("source", "to", "rollout", "allowed"),
    [
        ("sqlite", "dual", {}, DEADLINE),
        ("sqlite", "dual", {"canaryReplicas": 1}, DEADLINE + SOAK),
        ("strict", "primary", {}, DEADLINE + TTL * 1.01 + MARGIN),
        ("primary", "strict", {"canaryReplicas": 1}, DEADLINE + SOAK),
        ("strict", "dual", {}, DEADLINE + TTL * 1.01 + MARGIN),
        ("primary", "only", {}, DEADLINE),
    ],
)
def test_a_step_may_take_its_deadline_and_what_is_waited_for_on_purpose(source, to, rollout, allowed):
    assert step(source, to, allowed - 1, **rollout) == (False, False)
    assert step(source, to, allowed + 1, **rollout) == (True, False)
    assert step(source, to, allowed + 1, **rollout, onFailure="Rollback") == (True, True)
