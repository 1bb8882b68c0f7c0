"""What makes a Redis that answers one that cannot be relied on. It is asked at every look: servers are set otherwise while they run. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bidlock.migration.sight import Sight
from bidlock.modes import Role
from bidlock_operator.policies import Durability, Policy
from bidlock_operator.reasons import Reason


def stopping(sight: Sight) -> Iterator[tuple[str, str]]:
    """For which the server is closed."""
    if policy := next((bucket.evicts for bucket in sight.buckets if bucket.evicts), ""):
        yield (
            Reason.REDIS_EVICTION_UNSAFE,
            f"Redis may evict keys when its memory is full (maxmemory-policy {policy}), and an evicted lock is two bids; it is kept closed",
        )


def doubts(policy: Policy, sight: Sight, ahead: float, original: str) -> Iterator[tuple[str, str]]:
    """With which it goes on, and which are worse than it should be.

    Args:
        policy: What a human asks for.
        sight: What was seen.
        ahead: How far Redis's clock is ahead of ours, seconds; negative: behind.
        original: A lock of an original bot in Redis; empty for none.
    """
    if original:
        yield (
            Reason.LEGACY_MIX_UNSAFE,
            f"an original bot locks in this Redis ({original}), where the fleet does not look: both may bid on one posting",
        )
    forgets = [bucket.doubt for number, bucket in enumerate(sight.buckets) if sight.live(number) and not bucket.durable]
    chosen = policy.redis.accept_not_durable or (policy.redis.managed and policy.redis.durability is Durability.NONE)
    if forgets and sight.register.authority is Role.TARGET and not chosen:
        said = f": {forgets[0]}" if forgets[0] else ""
        yield Reason.REDIS_NOT_DURABLE, f"Redis has the authority, and may lose what it acknowledged when it crashes{said}"
    if abs(ahead) > policy.lock.clock_skew_seconds:
        where = "ahead of" if ahead > 0 else "behind"
        yield Reason.REDIS_CLOCK_SKEWED, f"the clock of Redis is {abs(ahead):.0f} s {where} the operator's"


def may_accept(policy: Policy, ahead: float) -> bool:
    """Whether a loss may be accepted by Redis's clock: by one that is behind, postings that were bid on count as newer than the loss."""
    return ahead >= -policy.lock.clock_skew_seconds
