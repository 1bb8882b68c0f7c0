"""What is wanted of a fleet right now: what a human asks for, held back by soak, failure and what is amiss. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bidlock.migration.deciding import LADDER
from bidlock.migration.register import Register
from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY
from bidlock.migration.wishes import Wish
from bidlock.settings import MARGIN_RATE
from bidlock_operator import policies, statuses
from bidlock_operator.policies import OnFailure, Policy
from bidlock_operator.statuses import Remembered


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish, and why it is less than what was asked for.

    Attributes:
        wish: For the decision.
        soaking_until: When the next step may begin; empty when nothing soaks.
        abandoned: Whether the walk was given up.
        overdue: Whether the running step has taken longer than it may.
    """

    wish: Wish
    soaking_until: str = ""
    abandoned: bool = False
    overdue: bool = False


def want(policy: Policy, remembered: Remembered, register: Register, now: datetime, *, sealed: bool, held: bool) -> Wanted:
    """What to want now.

    Args:
        policy: What a human asks for.
        remembered: The status.
        register: Its register.
        now: The present time.
        sealed: Whether Redis shall be sealed, for a planned stop.
        held: Whether something is amiss that a new step would run into.
    """
    wish = policies.want(policy, register, sealed=frozenset({0}) if sealed else frozenset())
    late = _overdue(policy, remembered, register, now)
    if remembered.abandoned == policy.generation:
        return Wanted(replace(wish, mode=_back(policy, register)), abandoned=True, overdue=late)
    if held and register.settled:
        return Wanted(replace(wish, mode=register.to))
    until = _soak(policy, remembered, register, wish.mode)
    if until and now < until:
        return Wanted(replace(wish, mode=register.to), soaking_until=statuses.text(until))
    return Wanted(wish, overdue=late)


def gives_up(policy: Policy, wanted: Wanted) -> bool:
    """Whether the running step failed, and shall be turned round."""
    return wanted.overdue and not wanted.abandoned and policy.rollout.on_failure is OnFailure.ROLLBACK


def allowed_seconds(policy: Policy, remembered: Remembered, register: Register) -> float:
    """How long the running step may take: what is waited for on purpose comes on top of the deadline.

    Canaries soak, and before Redis gets the authority, or gives it back, leases run out.
    """
    soak = policy.rollout.soak_seconds if policy.rollout.canary_replicas else 0
    flips = any(register.to in alone and register.source not in alone for alone in (ORIGIN_ONLY, TARGET_ONLY))
    drain = remembered.ttl_max_seconds * (1 + MARGIN_RATE) + policy.lock.margin_seconds if flips else 0
    return policy.rollout.progress_deadline_seconds + soak + drain


def _overdue(policy: Policy, remembered: Remembered, register: Register, now: datetime) -> bool:
    if register.settled or not remembered.started_at:
        return False
    return statuses.seconds_since(remembered.started_at, now) > allowed_seconds(policy, remembered, register)


def _back(policy: Policy, register: Register) -> str:
    """Where a walk that was given up ends: the mode it came from."""
    asked, source, to = (LADDER.index(mode) for mode in (policies.MODE_OF[policy.phase], register.source, register.to))
    return register.source if abs(asked - to) < abs(asked - source) else register.to


def _soak(policy: Policy, remembered: Remembered, register: Register, mode: str) -> datetime | None:
    """Until when a phase in between is rested in; the way back never waits, and `strict` is no phase."""
    forward = LADDER.index(mode) > LADDER.index(register.to)
    if not register.settled or not forward or register.to == "strict" or not remembered.settled_at:
        return None
    return datetime.fromisoformat(remembered.settled_at) + timedelta(seconds=policy.rollout.soak_seconds)
