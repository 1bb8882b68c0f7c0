"""What belongs to a policy, as the watches have told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bidlock_operator.kube import kinds
from bidlock_operator.resources import Resource

Body = Mapping[str, Any]

WATCHED = (
    kinds.POD,
    kinds.DEPLOYMENT,
    kinds.STATEFUL_SET,
    kinds.SERVICE,
    kinds.CONFIG_MAP,
    kinds.CLAIM,
    kinds.DISRUPTION_BUDGET,
    kinds.NETWORK_POLICY,
)
"""Kinds that are watched. Secrets are not: who may list them may read every secret of the cluster."""


class Cache(Protocol):
    """Everything of one kind that carries a policy's label."""

    def of(self, kind: Resource, namespace: str, policy: str) -> Iterable[Body]:
        """The objects; none where the kind cannot be watched."""


@dataclass(frozen=True, slots=True)
class Children:
    """A policy's objects at one moment.

    Attributes:
        objects: By kind and name, pods left out.
        pods: Every listed pod, those that are ending included.
    """

    objects: Mapping[tuple[str, str], Body] = field(default_factory=dict)
    pods: tuple[Body, ...] = ()

    def get(self, kind: Resource, name: str) -> Body | None:
        """One object; None when it is not there."""
        return self.objects.get((kind.kind, name))

    def component(self, name: str) -> tuple[Body, ...]:
        """The pods of one component that have not ended."""
        return tuple(pod for pod in self.pods if labels(pod).get("app.kubernetes.io/component") == name and not ended(pod))


def look(cache: Cache, namespace: str, policy: str) -> Children:
    """A policy's objects now."""
    objects = {
        (kind.kind, str(body["metadata"]["name"])): body
        for kind in WATCHED
        if kind is not kinds.POD
        for body in cache.of(kind, namespace, policy)
    }
    return Children(objects, tuple(cache.of(kinds.POD, namespace, policy)))


def labels(body: Body) -> Mapping[str, str]:
    """An object's labels."""
    return body["metadata"].get("labels") or {}


def ended(pod: Body) -> bool:
    """Whether none of its processes runs, for good."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def ending(body: Body) -> bool:
    """Whether it was told to go."""
    return bool(body["metadata"].get("deletionTimestamp"))


def ready_since(pod: Body) -> str:
    """Since when a pod is ready, as Kubernetes wrote it; empty when it is not."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            return str(condition.get("lastTransitionTime") or "")
    return ""


def address(pods: Iterable[Body]) -> str:
    """Where the one pod of a component is reached; the pod that is not ending first, empty while there is none."""
    for pod in sorted(pods, key=ending):
        if found := (pod.get("status") or {}).get("podIP"):
            return str(found)
    return ""
