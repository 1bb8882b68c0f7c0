"""The children that a policy should have now, as manifests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bidlock.migration.register import Register
from bidlock_operator import policies
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import MANAGER
from bidlock_operator.manifests import agent, bidders, naming, redis
from bidlock_operator.manifests.acl import Passwords
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.observing.children import Children
from bidlock_operator.policies import Policy, Topology
from bidlock_operator.reconciling.needing import Needs

Manifests = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Canary:
    """Bidders that change to a mode first: none when `count` is 0."""

    count: int = 0
    mode: str = ""


def stores(
    policy: Policy, platform: Platform, needs: Needs, passwords: Passwords | None, register: Register | None, *, certificate: str = ""
) -> Manifests:
    """Redis and the SQLite agent, as far as they are needed; another `certificate` has Redis restarted.

    With a file per pod the agent is in the bidder's pod: then the first bidder is started before the fleet is founded.
    It is refused by every store until then.
    """
    made: Manifests = []
    if register is None and policy.sqlite.topology is Topology.PER_POD:
        made += bidders.children(policy, "sqlite", platform, replicas=policies.replicas(policy, None))
    if needs.agent:
        made += agent.children(policy, platform)
    if needs.redis and passwords is not None:
        made += redis.children(policy, platform, passwords, certificate)
    return made


def fleet(
    policy: Policy, platform: Platform, mode: str, children: Children, canary: Canary, register: Register | None, revision: str = ""
) -> Manifests:
    """The bidders; another `revision` replaces them."""
    replicas = None if autoscaled(children, naming.bidder(policy)) else policies.replicas(policy, register)
    return bidders.children(policy, mode, platform, replicas=replicas, canaries=canary.count, canary_mode=canary.mode, revision=revision)


def autoscaled(children: Children, name: str) -> bool:
    """Whether an autoscaler acts on the bidders' Deployment itself; then their number is none of ours.

    A human who scales it with kubectl is no autoscaler: the policy is the place for that.
    """
    found: Mapping[str, Any] = children.get(kinds.DEPLOYMENT, name) or {"metadata": {}}
    return any(
        entry.get("subresource") == "scale" and entry.get("manager") not in (MANAGER, "kubectl")
        for entry in found["metadata"].get("managedFields") or ()
    )
