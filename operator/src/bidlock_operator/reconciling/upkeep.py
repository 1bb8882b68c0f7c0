"""Planned restarts of the Redis that the operator runs: sealed first, so that nothing can be lost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bidlock.migration.actions import Action, Wait
from bidlock.migration.sight import Sight
from bidlock.modes import Role
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


def may_stop(pod: Body, sight: Sight, action: Action, *, durable: bool) -> bool:
    """Whether a server's pod may be replaced without losing anything that it acknowledged.

    One that runs and does not let us in, its password having been changed, cannot be sealed: unless it is durable it may
    hold the only markers in memory alone, and is left to a human.

    Args:
        pod: The server's.
        sight: What was seen.
        action: What was decided, while a seal is wanted.
        durable: Whether the server is meant to write everything down before it answers. One that was seen not to is not believed.
    """
    if sight.live(0):
        return isinstance(action, Wait) and action.reason == "Sealed"
    believed = durable and not sight.register.buckets[0].doubted
    return believed or not runs(pod) or sight.register.authority is Role.ORIGIN


def runs(pod: Body) -> bool:
    """Whether a container of a pod runs; what is in its memory is lost with it."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any("running" in (status.get("state") or {}) for status in statuses)


def _seen(server: Mapping[str, Any]) -> bool:
    status = server.get("status") or {}
    return int(status.get("observedGeneration") or 0) >= int(server["metadata"].get("generation") or 0)
