"""What a `BidLockPolicy` asks for, as typed values; and what follows from it without looking anywhere."""

from bidlock_operator.policies.phases import MODE_OF, Phase, phase_of
from bidlock_operator.policies.policy import Policy, read
from bidlock_operator.policies.sections import (
    Adoption,
    Bidder,
    DeletionPolicy,
    Durability,
    External,
    Lock,
    OnFailure,
    Redis,
    RedisMode,
    Rollout,
    SecretKey,
    Sqlite,
    Storage,
    Strategy,
    Topology,
    Volume,
)
from bidlock_operator.policies.topology import most_replicas, replicas
from bidlock_operator.policies.wanting import terms, want

__all__ = [
    "MODE_OF",
    "Adoption",
    "Bidder",
    "DeletionPolicy",
    "Durability",
    "External",
    "Lock",
    "OnFailure",
    "Phase",
    "Policy",
    "Redis",
    "RedisMode",
    "Rollout",
    "SecretKey",
    "Sqlite",
    "Storage",
    "Strategy",
    "Topology",
    "Volume",
    "most_replicas",
    "phase_of",
    "read",
    "replicas",
    "terms",
    "want",
]
