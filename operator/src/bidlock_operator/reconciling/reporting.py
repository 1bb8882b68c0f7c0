"""What a policy's status says of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bidlock.migration import actions, telling
from bidlock.migration.sight import Sight
from bidlock.modes import Role
from bidlock_operator import policies, registers, statuses
from bidlock_operator.acting.events import Happening
from bidlock_operator.conditions import Condition, ConditionType, Facts, Status, derive, merged
from bidlock_operator.manifests import objects, redis
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.metrics import Metrics, PolicyFacts
from bidlock_operator.observing.fleet import Bidders
from bidlock_operator.observing.stores import Trouble
from bidlock_operator.policies import Policy
from bidlock_operator.reasons import Reason
from bidlock_operator.reconciling.needing import NOTHING, Needs
from bidlock_operator.reconciling.wanting import Wanted
from bidlock_operator.statuses import Remembered

UNSUPPORTED = "spec.redis.mode {mode} is not supported by this version; choose Standalone or External"
TAKEN = (
    "policy {namespace}/{name} works with the stores of owner {owner}, too, and two policies of one fleet are two bids; delete one of them"
)


@dataclass(frozen=True, slots=True)
class Situation:
    """How things are at the end of a pass.

    Attributes:
        bidders: The bidders.
        sight: What was seen; None when nothing was looked at.
        action: What was decided; None likewise.
        wanted: What was wanted; None likewise.
        needs: Which stores matter.
        problems: What is amiss, by reason.
        doubts: What is worse than it should be while everything goes on, by reason.
        paused: Whether the policy is left alone on purpose.
    """

    bidders: Bidders
    sight: Sight | None = None
    action: actions.Action | None = None
    wanted: Wanted | None = None
    needs: Needs = NOTHING
    problems: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    paused: bool = False

    @property
    def stores_well(self) -> bool:
        """Whether every store that matters answers and is open."""
        sight = self.sight
        if sight is None:
            return False
        return (not self.needs.redis or sight.target_ok) and (not self.needs.agent or sight.origin.reachable)


def status(policy: Policy, remembered: Remembered, situation: Situation, platform: Platform, now: str) -> dict[str, Any]:
    """The whole status."""
    bidders = situation.bidders
    told = {
        **remembered.raw,
        "observedGeneration": policy.generation,
        "replicas": bidders.count,
        "readyReplicas": bidders.ready,
        "updatedReplicas": bidders.updated,
        "selector": ",".join(f"{name}={value}" for name, value in objects.selector(policy, objects.BIDDER).items()),
    }
    register = remembered.register
    if situation.needs.redis:
        told["redis"] = _redis(policy, remembered, situation, platform)
    if register is not None and not register.settled and isinstance(situation.action, actions.Wait):
        told["transition"] = statuses.transition(remembered, register, situation.action.reason, situation.action.message, now)
    if remembered.abandoned and remembered.abandoned != policy.generation:
        told.pop("abandoned", None)
    held = [Condition.read(raw) for raw in remembered.raw.get("conditions") or ()]
    since = str((told.get("transition") or {}).get("stepStartedAt", ""))
    derived = derive(_facts(policy, remembered, situation, since, _resting(remembered, held, now)))
    return told | {"conditions": [condition.manifest() for condition in merged(held, derived, now=now)]}


def _redis(policy: Policy, remembered: Remembered, situation: Situation, platform: Platform) -> dict[str, Any]:
    """Where it is, if that is no secret, and which process was seen last."""
    seen = situation.sight.buckets[0].run_id if situation.sight else ""
    run_id = seen or str((remembered.raw.get("redis") or {}).get("runId", ""))
    endpoint = {"endpoint": redis.endpoint(policy, platform)} if policy.redis.managed else {}
    return endpoint | ({"runId": run_id} if run_id else {})


def abandoned(remembered: Remembered, policy: Policy, now: str) -> dict[str, Any]:
    """The status of a walk that is given up."""
    step = str((remembered.raw.get("transition") or {}).get("step", ""))
    return {**remembered.raw, "abandoned": {"generation": policy.generation, "phase": policy.phase.value, "reason": step, "at": now}}


def problems(of_stores: Mapping[Role, Trouble], invalid: str, impossible: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """What is amiss, by reason."""
    if invalid:
        yield Reason.TEMPLATE_INVALID, f"the API server refuses the bidders' workload: {invalid}"
    if said := ". ".join(each.rstrip(".") for each in impossible):
        yield Reason.CHILD_REFUSED, f"the API server refuses what follows from the spec: {said}"
    if Role.TARGET in of_stores:
        yield Reason(of_stores[Role.TARGET].reason or Reason.REDIS_UNAVAILABLE), of_stores[Role.TARGET].message
    if Role.ORIGIN in of_stores:
        yield Reason(of_stores[Role.ORIGIN].reason or Reason.SQLITE_UNAVAILABLE), of_stores[Role.ORIGIN].message


def warning(name: str, message: str) -> Happening:
    """The event of a problem."""
    return Happening(name, "Report", message, warning=True)


def happening(action: actions.Action) -> Happening | None:
    """The event of a decision; None for those that only other decisions care for."""
    match action:
        case actions.Halt(reason, message) | actions.Refuse(reason, message):
            return Happening(reason, type(action).__name__, message, warning=True)
        case actions.Begin() | actions.Settle() | actions.Authorise() | actions.Roll() | actions.Incarnate() | actions.Sealing():
            return Happening(type(action).__name__, type(action).__name__, telling.sentence(action))
    return None


def measure(metrics: Metrics, policy: Policy, remembered: Remembered, situation: Situation, now: datetime) -> None:
    """Show a policy in the metrics."""
    register = remembered.register
    facts = PolicyFacts(
        phase=str(remembered.raw.get("currentPhase", "")),
        authority=registers.store_of(register.authority) if register else "",
        transition_seconds=statuses.seconds_since(remembered.started_at, now) if remembered.started_at else 0.0,
        bidders=situation.bidders.modes,
        redis=_buckets(situation),
        conditions={str(raw["type"]): str(raw["status"]) for raw in remembered.raw.get("conditions") or ()},
    )
    metrics.show(policy.namespace, policy.name, facts)


def _buckets(situation: Situation) -> Mapping[str, int]:
    sight = situation.sight
    if sight is None or not situation.needs.redis:
        return {}
    states = ("live" if sight.live(n) else "closed" if bucket.reachable else "unreachable" for n, bucket in enumerate(sight.buckets))
    return Counter(states)


def _resting(remembered: Remembered, held: Iterable[Condition], now: str) -> str:
    """Since when the fleet rests, and not where it should be; it came there, or was asked for more."""
    asked = [each.last_transition_time for each in held if (each.type, each.status) == (ConditionType.PHASE_CONVERGED, Status.FALSE)]
    return max(remembered.settled_at, *asked) if asked else now


def _facts(policy: Policy, remembered: Remembered, situation: Situation, since: str, resting: str) -> Facts:
    wanted = situation.wanted
    return Facts(
        policy=policy,
        register=remembered.register,
        sight=situation.sight,
        action=situation.action,
        ready=situation.bidders.ready,
        wanted=policies.replicas(policy, remembered.register),
        redis_needed=situation.needs.redis,
        since=since,
        resting=resting,
        overdue=wanted is not None and wanted.overdue,
        abandoned=wanted is not None and wanted.abandoned,
        soaking_until=wanted.soaking_until if wanted else "",
        paused=situation.paused,
        problems=situation.problems,
        doubts=situation.doubts,
    )
