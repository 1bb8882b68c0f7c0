"""Policies that no operator will look after any more are freed of the finalizer. Nothing is deleted: the fleets go on as they are."""

from __future__ import annotations

from typing import Any

from bidlock_operator import resources
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import Forbidden, NotFound


async def last(kube: Kube, namespace: str) -> bool:
    """Whether nobody can lead any more after this operator: its namespace is being deleted, or its roles are.

    Args:
        kube: A client; it makes no Lease.
        namespace: Where operators lead.

    Raises:
        KubeError: the API server does not say.
    """
    probe = {"apiVersion": kinds.LEASE.api_version, "kind": kinds.LEASE.kind, "metadata": {"generateName": "bidlock-probe-"}}
    try:
        await kube.create(kinds.LEASE, namespace, probe, dry_run=True)
    except Forbidden:
        return True
    return False


async def free(kube: Kube, namespace: str) -> list[str]:
    """Take the finalizer off every policy.

    Args:
        kube: A client.
        namespace: Where; empty for everywhere.

    Returns:
        Those that had one, as `namespace/name`.

    Raises:
        Conflict: one changed meanwhile; try again from the start.
        KubeError: the API server refuses it, and says why.
    """
    freed = []
    for policy in await _policies(kube, namespace):
        metadata = policy["metadata"]
        kept = [finalizer for finalizer in metadata.get("finalizers", ()) if finalizer != resources.FINALIZER]
        if kept != metadata.get("finalizers", []):
            patch = {"metadata": {"finalizers": kept, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}
            await _merge(kube, metadata, patch)
            freed.append(f"{metadata['namespace']}/{metadata['name']}")
    return freed


async def _policies(kube: Kube, namespace: str) -> list[dict[str, Any]]:
    try:
        return await kube.list(resources.POLICY, namespace)
    except NotFound:  # without the definition there is no policy
        return []


async def _merge(kube: Kube, metadata: dict[str, Any], patch: dict[str, Any]) -> None:
    try:
        await kube.merge(resources.POLICY, metadata["namespace"], metadata["name"], patch)
    except NotFound:  # it was only waiting for its finalizer, and somebody else took it
        return
