"""How bidders change over: the template is checked first, canaries go ahead, the others follow."""

from __future__ import annotations

from datetime import datetime

from bidlock_operator import policies, statuses
from bidlock_operator.kube import kinds
from bidlock_operator.kube.errors import Refused
from bidlock_operator.manifests import objects
from bidlock_operator.observing.children import Children, labels, ready_since
from bidlock_operator.policies import Policy, Topology
from bidlock_operator.reconciling import building
from bidlock_operator.reconciling.building import Canary
from bidlock_operator.reconciling.ground import Ground
from bidlock_operator.statuses import Remembered


async def dry_run(ground: Ground, policy: Policy, children: Children, remembered: Remembered) -> str:
    """What the API server says against the bidders' workload in the mode that is asked for; empty for nothing.

    Raises:
        KubeError: it did not say anything about the workload.
    """
    for asked in {remembered.template, policies.MODE_OF[policy.phase]}:
        for manifest in building.fleet(policy, ground.platform, asked, children, Canary(), remembered.register):
            try:
                await ground.kube.apply(kinds.of(manifest), manifest, dry_run=True)
            except Refused as error:
                if error.of_the_object:
                    return str(error)
                raise
    return ""


def canary(policy: Policy, mode: str) -> Canary:
    """The bidders that go ahead into a mode."""
    none = policy.sqlite.topology is Topology.PER_POD or not policy.replicas
    return Canary() if none else Canary(min(policy.rollout.canary_replicas, policy.replicas), mode)


def canary_waits(policy: Policy, children: Children, wanted: Canary, now: datetime) -> str:
    """What the canaries are waited for; empty when they have worked long enough, or there are none."""
    if not wanted.count:
        return ""
    pods = [pod for pod in children.component("bidder") if _is_canary(labels(pod), wanted.mode)]
    since = [ready for pod in pods if (ready := ready_since(pod))]
    soaked = sum(statuses.seconds_since(ready, now) >= policy.rollout.soak_seconds for ready in since)
    if soaked >= wanted.count:
        return ""
    return (
        f"{len(since)} of {wanted.count} canaries are ready in mode {wanted.mode}; "
        f"the others follow when they have been ready for {policy.rollout.soak_seconds} s"
    )


def _is_canary(found: object, mode: str) -> bool:
    return isinstance(found, dict) and found.get(objects.TRACK_LABEL) == "canary" and found.get(objects.MODE_LABEL) == mode
