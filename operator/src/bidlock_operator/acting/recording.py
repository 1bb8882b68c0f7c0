"""The status of a policy: written as a whole, and only onto the version that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bidlock_operator import resources
from bidlock_operator.kube.client import Body, Kube


async def record(kube: Kube, body: Mapping[str, Any], status: Mapping[str, Any]) -> Body:
    """Write a status, and return the policy as it is then.

    Every field that the operator ever wrote has to be in it: what is left out is removed.

    Raises:
        Conflict: the policy is not the one that was seen; look again.
        Invalid: the status breaks a rule of the register, as that of a deposed leader does.
    """
    metadata = body["metadata"]
    return await kube.apply(
        resources.POLICY,
        {
            "apiVersion": resources.POLICY.api_version,
            "kind": resources.POLICY.kind,
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "status": status,
        },
        status=True,
    )


def differs(body: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Whether a status is not what the policy has already; empty fields are as good as absent ones."""
    return _filled(body.get("status") or {}) != _filled(status)


def _filled(status: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if value not in (None, {}, [])}
