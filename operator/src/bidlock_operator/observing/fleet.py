"""The bidders, as their pods and their workload show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bidlock.migration.sight import LEGACY, Fleet
from bidlock_operator.observing.children import Body, Children, labels, ready_since

MODE = "bidlock.io/mode"
"""Label of a bidder's pod: the mode it works in."""


@dataclass(frozen=True, slots=True)
class Bidders:
    """The bidders of a policy.

    Attributes:
        modes: How many pods are listed by mode, those that are ending included.
        ready: How many of them are ready.
        updated: How many run the newest template.
        rolled: Whether the workload has seen its newest template and no older pod is left of it.
        templates: Modes that the workloads' templates name; more pods of these may come.
    """

    modes: Mapping[str, int] = field(default_factory=dict)
    ready: int = 0
    updated: int = 0
    rolled: bool = True
    templates: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many pods are listed."""
        return sum(self.modes.values())

    def fleet(self, template: str, *, original_bots: bool = False) -> Fleet:
        """As the controller sees them.

        Args:
            template: The mode in which new bidders shall start.
            original_bots: Whether a human says that original bots work beside; nobody else can tell.
        """
        coming = frozenset[str]() if self.rolled else self.templates
        beside = frozenset({LEGACY}) if original_bots else frozenset[str]()
        return Fleet(template, frozenset(self.modes) | coming | beside)


def look(children: Children) -> Bidders:
    """The bidders among a policy's objects."""
    pods = children.component("bidder")
    workloads = [body for body in children.objects.values() if _is_workload(body)]
    return Bidders(
        modes=Counter(labels(pod).get(MODE, "unknown") for pod in pods),
        ready=sum(bool(ready_since(pod)) for pod in pods),
        updated=sum(int((body.get("status") or {}).get("updatedReplicas") or 0) for body in workloads),
        rolled=all(_rolled(body) for body in workloads),
        templates=frozenset(_template_mode(body) for body in workloads) - {""},
    )


def _is_workload(body: Body) -> bool:
    return body.get("kind") in {"Deployment", "StatefulSet"} and labels(body).get("app.kubernetes.io/component") == "bidder"


def _rolled(workload: Body) -> bool:
    """Whether the workload's controller has seen the newest template, and has as many pods of it as it wants, and no others."""
    status: Mapping[str, Any] = workload.get("status") or {}
    wanted = int(workload["spec"].get("replicas", 1))
    seen = int(status.get("observedGeneration") or 0) >= int(workload["metadata"].get("generation") or 0)
    return seen and int(status.get("updatedReplicas") or 0) == wanted == int(status.get("replicas") or 0)


def _template_mode(workload: Body) -> str:
    metadata = workload["spec"]["template"].get("metadata") or {}
    return str((metadata.get("labels") or {}).get(MODE, ""))
