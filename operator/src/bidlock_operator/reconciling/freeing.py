"""Policies that no operator will look after any more are freed of the finalizer. Nothing is deleted: the fleets go on as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from bidlock_operator import resources
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import Forbidden, NotFound


async def last(kube: Kube, namespace: str) -> bool:
    """Whether nobody can lead any more after this operator: its namespace is being deleted, or its roles are.

    If it was refused for another reason, the next operator puts the finalizer back.

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
    freed = [policy["metadata"] for policy in await _policies(kube, namespace) if await let_go(kube, policy)]
    return [f"{metadata['namespace']}/{metadata['name']}" for metadata in freed]


async def let_go(kube: Kube, policy: Mapping[str, Any]) -> bool:
    """Take the finalizer off one policy, as it was seen; whether it had one.

    Raises:
        Conflict: it changed meanwhile.
        KubeError: the API server refuses it, and says why.
    """
    metadata = policy["metadata"]
    held = metadata.get("finalizers") or ()
    if resources.FINALIZER not in held:
        return False
    kept = [finalizer for finalizer in held if finalizer != resources.FINALIZER]
    patch = {"metadata": {"finalizers": kept, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}
    with contextlib.suppress(NotFound):  # it was only waiting for its finalizer, and somebody else took it
        await kube.merge(resources.POLICY, metadata["namespace"], metadata["name"], patch)
    return True


async def _policies(kube: Kube, namespace: str) -> list[dict[str, Any]]:
    try:
        return await kube.list(resources.POLICY, namespace)
    except NotFound:  # without the definition there is no policy
        return []
