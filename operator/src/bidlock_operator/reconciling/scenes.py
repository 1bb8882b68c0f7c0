"""What a pass begins with: a policy as it was last told, what is remembered of it, and everything that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bidlock_operator import policies, resources, statuses
from bidlock_operator.manifests import naming
from bidlock_operator.observing import children as observed
from bidlock_operator.observing import fleet
from bidlock_operator.observing.children import Cache, Children
from bidlock_operator.observing.fleet import Bidders
from bidlock_operator.policies import Policy
from bidlock_operator.reasons import Reason
from bidlock_operator.reconciling import reporting
from bidlock_operator.reconciling.reporting import Situation
from bidlock_operator.statuses import Remembered

RECONCILE = f"{resources.GROUP}/reconcile"
"""Annotation; `disabled` leaves a policy and its children alone altogether."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A policy and its surroundings at one moment.

    Attributes:
        body: The policy as the API server has it.
        policy: The same, typed.
        remembered: Its status.
        children: What belongs to it.
        bidders: The bidders among them.
        now: The present time.
    """

    body: Mapping[str, Any]
    policy: Policy
    remembered: Remembered
    children: Children
    bidders: Bidders
    now: datetime

    @property
    def moment(self) -> str:
        """The present time, as in a status."""
        return statuses.text(self.now)

    @property
    def disabled(self) -> bool:
        """Whether a human asked to leave everything alone, the status included."""
        return (self.body["metadata"].get("annotations") or {}).get(RECONCILE) == "disabled"


def look(cache: Cache, body: Mapping[str, Any]) -> Scene:
    """The scene of a policy now."""
    policy = policies.read(body)
    found = observed.look(cache, policy.namespace, naming.label(policy))
    return Scene(body, policy, statuses.read(body), found, fleet.look(found), datetime.now(UTC))


def standing(scene: Scene, others: Iterable[Mapping[str, Any]]) -> Situation | None:
    """Why nothing may be done to a policy at all; None when something may.

    Args:
        scene: The policy's.
        others: Every other policy in sight.
    """
    policy = scene.policy
    if policy.paused:
        return Situation(scene.bidders, paused=True)
    if not policy.redis.supported:
        return Situation(scene.bidders, problems={Reason.REDIS_MODE_UNSUPPORTED: reporting.UNSUPPORTED.format(mode=policy.redis.mode)})
    for other in others:
        if policies.read(other).owner == policy.owner:
            return Situation(scene.bidders, problems={Reason.OWNER_TAKEN: reporting.TAKEN.format(owner=policy.owner, **other["metadata"])})
    return None
