"""From what a policy asks for, and how far its fleet is, to what the controller of the migration should want."""

from __future__ import annotations

from bidlock.migration.acting import Terms
from bidlock.migration.deciding import LADDER
from bidlock.migration.register import Register
from bidlock.migration.wishes import Wish
from bidlock.modes import Role
from bidlock_operator.policies.phases import MODE_OF
from bidlock_operator.policies.policy import Policy
from bidlock_operator.policies.sections import Adoption, Strategy


def want(policy: Policy, register: Register, *, sealed: frozenset[int] = frozenset()) -> Wish:
    """What the controller should want now.

    Args:
        policy: What a human asks for.
        register: How far the fleet is.
        sealed: Buckets that should be sealed, for a planned stop.
    """
    return Wish(
        mode=LADDER[_held(_approved(LADDER.index(MODE_OF[policy.phase]), policy, register), policy, register)],
        sealed=sealed,
        accepted=policy.accepted_losses,
        clock_skew_ms=policy.lock.clock_skew_seconds * 1000,
        accept_not_durable=policy.redis.accept_not_durable,
        original_bots=policy.sqlite.legacy_pods,
    )


def terms(policy: Policy, ttl_max_seconds: int) -> Terms:
    """What a policy has written into its stores.

    Args:
        policy: What a human asks for.
        ttl_max_seconds: The longest TTL that any bidder may use.
    """
    return Terms(
        policy.owner,
        ttl_max_seconds * 1000,
        policy.lock.margin_seconds * 1000,
        original_bots=policy.sqlite.legacy_pods,
        adoption_skew_ms=policy.lock.clock_skew_seconds * 1000 if policy.sqlite.adoption is Adoption.NEW_POSTINGS else None,
    )


def awaits_approval(policy: Policy, register: Register) -> bool:
    """Whether a Manual policy is as far as it was approved, and wants more."""
    asked = LADDER.index(MODE_OF[policy.phase])
    return _approved(asked, policy, register) != asked


def holds_before_flip(policy: Policy, register: Register) -> bool:
    """Whether the fleet would walk past `strict`, and is told to rest there."""
    approved = _approved(LADDER.index(MODE_OF[policy.phase]), policy, register)
    return _held(approved, policy, register) != approved


def _approved(asked: int, policy: Policy, register: Register) -> int:
    """The rung up to which Manual lets the fleet go; where it rests needs no approval, nor the lower end of a running step.

    The answer is the same for a step and for that step turned round; else it would be turned round without end.
    """
    low, high = sorted(LADDER.index(mode) for mode in (register.source, register.to))
    if policy.rollout.strategy is not Strategy.MANUAL or asked == low:
        return asked
    forward = asked > low
    if policy.rollout.approved_phase is None:
        return low if forward else high
    approved = LADDER.index(MODE_OF[policy.rollout.approved_phase])
    return max(low, min(asked, approved)) if forward else min(high, max(asked, approved))


def _held(goal: int, policy: Policy, register: Register) -> int:
    """`strict` at most while SQLite has the authority; a fleet that Redis decides for is not pulled back."""
    hold = policy.rollout.hold_before_flip and register.authority is Role.ORIGIN
    return min(goal, LADDER.index("strict")) if hold else goal
