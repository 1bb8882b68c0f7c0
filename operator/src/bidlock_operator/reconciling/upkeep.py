"""Planned restarts of the Redis that the operator runs: sealed first, so that nothing can be lost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bidlock_operator.kube import kinds
from bidlock_operator.observing.children import Body, Children, ending, labels


def outdated(children: Children, name: str) -> Body | None:
    """The server's pod, if it is not of the newest template and was not told to go yet.

    Args:
        children: What belongs to the policy.
        name: Of the StatefulSet.
    """
    server = children.get(kinds.STATEFUL_SET, name)
    if server is None or not _seen(server):
        return None
    newest = server["status"].get("updateRevision")
    for pod in children.component("redis"):
        if labels(pod).get("controller-revision-hash") not in (None, newest) and not ending(pod):
            return pod
    return None


def runs(pod: Body) -> bool:
    """Whether a container of a pod runs; a server that never started holds nothing, and may be replaced at once."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any("running" in (status.get("state") or {}) for status in statuses)


def _seen(server: Mapping[str, Any]) -> bool:
    status = server.get("status") or {}
    return int(status.get("observedGeneration") or 0) >= int(server["metadata"].get("generation") or 0)
