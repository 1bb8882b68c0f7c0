"""Every reason that a condition or an event can have, and what a human can do. The list is closed.

Those in `HELP` call for a human, or may; the runbook has a page of each, by its name.
"""

from __future__ import annotations

import enum

RUNBOOK = "docs/runbook"
"""Folder of the pages."""


class Reason(enum.StrEnum):
    """Why a condition holds."""

    # nothing to do
    BIDDING = "Bidding"
    CONVERGED = "Converged"
    HEALTHY = "Healthy"
    NO_WARNINGS = "NoWarnings"
    NOT_NEEDED = "NotNeeded"
    OPEN = "Open"
    SCALED_TO_ZERO = "ScaledToZero"
    SETTLED = "Settled"
    # under way
    CANARY = "Canary"
    DELETING = "Deleting"
    DRAINING = "Draining"
    FOUNDING = "Founding"
    OPENING = "Opening"
    ROLLOUT = "Rollout"
    SEALED = "Sealed"
    SOAKING = "Soaking"
    WALKING = "Walking"
    # waiting for a human, on purpose
    AWAITING_APPROVAL = "AwaitingApproval"
    HELD_BEFORE_FLIP = "HeldBeforeFlip"
    PAUSED = "Paused"
    ABANDONED = "Abandoned"
    # something is away, and may come back by itself
    BIDDERS_UNAVAILABLE = "BiddersUnavailable"
    LEGACY_PODS_RUNNING = "LegacyPodsRunning"
    REDIS_UNAVAILABLE = "RedisUnavailable"
    ROLLBACK_BLOCKED = "RollbackBlocked"
    SQLITE_UNAVAILABLE = "SQLiteUnavailable"
    # only a human can go on
    AUTHORITY_LOST = "AuthorityLost"
    BOTH_OPEN = "BothOpen"
    CHILD_REFUSED = "ChildRefused"
    CREDENTIALS_MISSING = "CredentialsMissing"
    OWNER_MISMATCH = "OwnerMismatch"
    OWNER_TAKEN = "OwnerTaken"
    REDIS_CLOCK_SKEWED = "RedisClockSkewed"
    REDIS_EVICTION_UNSAFE = "RedisEvictionUnsafe"
    REDIS_MODE_UNSUPPORTED = "RedisModeUnsupported"
    REDIS_NOT_DURABLE = "RedisNotDurable"
    REDIS_TOO_OLD = "RedisTooOld"
    REGISTER_LOST = "RegisterLost"
    REGISTER_OUTDATED = "RegisterOutdated"
    RIGHTS_MISSING = "RightsMissing"
    ROLLOUT_STALLED = "RolloutStalled"
    TEMPLATE_INVALID = "TemplateInvalid"
    UNSAFE_FILESYSTEM = "UnsafeFilesystem"
    LEGACY_MIX_UNSAFE = "LegacyMixUnsafe"
    # what is asked for is worth a second thought
    REPLICAS_CAPPED = "ReplicasCapped"
    TOPOLOGY_UNSAFE = "TopologyUnsafe"
    UNKNOWN_MODE = "UnknownMode"


HELP: dict[Reason, str] = {
    Reason.DRAINING: "nothing to do; bidders go on in the mode that both stores admit",
    Reason.ROLLOUT: "if it stays, look at the pods that are not ready: kubectl get pods -L bidlock.io/mode",
    Reason.CANARY: "nothing to do; look at the canaries meanwhile: kubectl get pods -l bidlock.io/track=canary",
    Reason.SOAKING: "nothing to do; lower spec.rollout.soakSeconds to go on earlier",
    Reason.SEALED: "nothing to do; it is opened again as soon as it is back",
    Reason.FOUNDING: "if it stays, look whether the agent's pod runs and the SQLite file is where spec.sqlite says",
    Reason.AWAITING_APPROVAL: "set spec.rollout.approvedPhase to let it go on",
    Reason.HELD_BEFORE_FLIP: "set spec.rollout.holdBeforeFlip to false to give Redis the authority, or a lower spec.phase to go back",
    Reason.PAUSED: "set spec.paused to false to go on",
    Reason.ABANDONED: "remove the cause, then change the spec to try again",
    Reason.BIDDERS_UNAVAILABLE: "look at their pods: kubectl get pods -l app.kubernetes.io/component=bidder",
    Reason.LEGACY_PODS_RUNNING: "scale the original bots to zero",
    Reason.REDIS_UNAVAILABLE: "bring Redis back; everything goes on by itself",
    Reason.ROLLBACK_BLOCKED: "bring Redis back: it alone holds the markers, so there is no way back without it",
    Reason.SQLITE_UNAVAILABLE: "look at the agent's pod: kubectl get pods -l app.kubernetes.io/component=agent",
    Reason.AUTHORITY_LOST: "bring back the copy that has the markers, or accept the loss by its nonce in spec.acceptAuthorityLoss",
    Reason.BOTH_OPEN: "find out which store the bidders worked in, and close the other one by hand",
    Reason.CHILD_REFUSED: "correct the part of the spec that it follows from; what is there of it stays as it is",
    Reason.CREDENTIALS_MISSING: "create the Secret that is named, with the keys that are named",
    Reason.OWNER_MISMATCH: "name that owner in spec.storeOwner if the stores are this fleet's; else give this fleet other stores",
    Reason.OWNER_TAKEN: "delete one of the two policies, or give one of them stores of its own",
    Reason.REDIS_CLOCK_SKEWED: "set the clocks of Redis's host and of the operator's node by NTP, or raise spec.lock.clockSkewSeconds",
    Reason.REDIS_EVICTION_UNSAFE: "set maxmemory-policy noeviction on the server: one that evicts forgets locks",
    Reason.REDIS_MODE_UNSUPPORTED: "choose Standalone or External in spec.redis.mode",
    Reason.REDIS_NOT_DURABLE: "make the server durable (appendonly yes, appendfsync always), or set spec.redis.acceptNotDurable",
    Reason.REDIS_TOO_OLD: "upgrade the server to Redis 6.2 or Valkey, or name another one",
    Reason.REGISTER_LOST: "bring both stores back as they were; the register is rebuilt from what they show",
    Reason.REGISTER_OUTDATED: "put the newest status back, or delete the policy and create it again with spec.storeOwner",
    Reason.RIGHTS_MISSING: "give the operator's role the rights that are named, or raise the quota that is named",
    Reason.ROLLOUT_STALLED: "remove what it waits for, or set spec.phase back to turn it round",
    Reason.TEMPLATE_INVALID: "correct spec.bidder.template; running bidders are left as they are",
    Reason.UNSAFE_FILESYSTEM: "put the SQLite file on a file system of the node: network file systems do not lock reliably",
    Reason.LEGACY_MIX_UNSAFE: "scale the original bots that lock in Redis to zero, or give the fleet another server",
    Reason.REPLICAS_CAPPED: "share one file (spec.sqlite.topology SharedFile), or walk on to RedisPrimary",
    Reason.TOPOLOGY_UNSAFE: "make the policy again with spec.sqlite.storage once Redis has the authority, or stay in RedisOnly, where no file matters",
    Reason.UNKNOWN_MODE: "delete the pod whose label bidlock.io/mode names no mode; its workload makes a proper one",
}
"""What a human can do, by reason; continues the sentence that says what is so."""


def explained(reason: Reason, what: str, since: str = "") -> str:
    """A message: what is so, since when, what a human can do, and where to read on. The same while nothing changes.

    Args:
        reason: Why.
        what: What is so or awaited; one sentence, with or without its full stop.
        since: RFC 3339; empty when it does not matter or is not known.
    """
    moment = f", since {since}" if since else ""
    said = f"{what.strip().rstrip('.')}{moment}."
    if reason not in HELP:
        return said
    return f"{said} What you can do: {HELP[reason]}. See {RUNBOOK}/{reason.value}.md"
