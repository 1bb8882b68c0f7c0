"""What a topology allows and the definition's rules cannot decide, because it depends on how far the fleet is."""

from __future__ import annotations

from collections.abc import Iterator

from bidlock.migration.register import Register
from bidlock.migration.sight import TARGET_ONLY
from bidlock_operator.policies.policy import Policy
from bidlock_operator.policies.sections import Durability, Topology
from bidlock_operator.reasons import Reason


def most_replicas(policy: Policy, register: Register | None) -> int | None:
    """How many bidders may run; None for any number.

    With a file per pod there is one, until the fleet rests on Redis alone: before that every mode needs the file, and
    two pods would each have their own. The StatefulSet sees to it that it is never two of the one.
    """
    if policy.sqlite.topology is Topology.SHARED_FILE:
        return None
    return None if register is not None and {register.source, register.to} <= TARGET_ONLY else 1


def replicas(policy: Policy, register: Register | None) -> int:
    """How many bidders shall run now."""
    most = most_replicas(policy, register)
    return policy.replicas if most is None else min(policy.replicas, most)


def warnings(policy: Policy, register: Register | None) -> Iterator[tuple[Reason, str]]:
    """What is allowed, and worth a second thought."""
    if replicas(policy, register) < policy.replicas:
        yield Reason.REPLICAS_CAPPED, f"{policy.replicas} bidders are asked for and 1 runs, because every pod has a SQLite file of its own"
    if policy.sqlite.topology is Topology.PER_POD and policy.sqlite.storage is None:
        yield Reason.TOPOLOGY_UNSAFE, "the SQLite file ends with its pod, and what was bid on is forgotten with it"
    if policy.redis.accept_not_durable and register is not None and any(bucket.doubted for bucket in register.buckets):
        yield (
            Reason.REDIS_NOT_DURABLE,
            "an unplanned restart of Redis counts as a loss while it has the authority (spec.redis.acceptNotDurable)",
        )
    elif policy.redis.durability is Durability.NONE and policy.redis.managed:
        yield (
            Reason.REDIS_NOT_DURABLE,
            "an unplanned restart of Redis counts as a loss while it has the authority (spec.redis.durability None)",
        )
