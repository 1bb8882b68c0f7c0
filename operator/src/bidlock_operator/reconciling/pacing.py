"""How long a policy's loop may sleep. Pure."""

from __future__ import annotations

import random
from datetime import datetime

from bidlock.migration import actions
from bidlock_operator import statuses
from bidlock_operator.policies import Policy
from bidlock_operator.reconciling import wanting
from bidlock_operator.reconciling.ground import Paces
from bidlock_operator.reconciling.reporting import Situation
from bidlock_operator.statuses import Remembered

WATCHED = frozenset({"Rollout", "Canary", "LegacyPodsRunning", "Sealed"})
"""Waits whose end a watch tells."""

_HALTED = 1.0
_CHECKED = 5.0


def at_rest(situation: Situation) -> bool:
    """Whether nothing is awaited of the stores: the end of a held connection is the next news."""
    return situation.stores_well


def pause(paces: Paces, policy: Policy, remembered: Remembered, situation: Situation, now: datetime) -> float:
    """Seconds until the next look, unless there is news before."""
    return max(min(_rest(paces), *_moments(policy, remembered, situation, now), _awaited(paces, situation)), paces.awaited)


def after_failure(paces: Paces, failures: int, asked: float) -> float:
    """Seconds until the next try.

    Args:
        paces: Waiting times.
        failures: How many there were in a row.
        asked: When the server wants to be asked again; believed up to the time between two looks at rest.
    """
    own = min(paces.error * 2 ** min(failures - 1, 10), paces.error_most) * random.uniform(0.5, 1.0)
    return float(max(own, min(asked, paces.rest)))


def _rest(paces: Paces) -> float:
    return paces.rest * random.uniform(0.8, 1.2)  # so that many policies are not looked at in one moment


def _awaited(paces: Paces, situation: Situation) -> float:
    action = situation.action
    if isinstance(action, actions.Halt):
        return _HALTED
    if situation.sight is not None and not situation.stores_well:
        return paces.awaited
    if isinstance(action, actions.Wait):
        return _CHECKED if action.reason in WATCHED else paces.awaited
    return paces.rest * 2


def _moments(policy: Policy, remembered: Remembered, situation: Situation, now: datetime) -> list[float]:
    """Seconds until a moment comes that changes what is wanted."""
    found = []
    if situation.wanted and situation.wanted.soaking_until:
        found.append(-statuses.seconds_since(situation.wanted.soaking_until, now))
    if remembered.started_at and remembered.register:
        allowed = wanting.allowed_seconds(policy, remembered, remembered.register)
        found.append(allowed - statuses.seconds_since(remembered.started_at, now) + 1)
    ahead = [seconds for seconds in found if seconds > 0]
    return ahead or [float("inf")]
