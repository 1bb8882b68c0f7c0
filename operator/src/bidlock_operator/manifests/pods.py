"""What the operator's own pods have in common: they pass the Pod Security Standard `restricted`."""

from __future__ import annotations

from typing import Any

CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def security(user: int, group: int) -> dict[str, Any]:
    """A pod's security context; volumes belong to the group."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def probe(action: dict[str, Any], *, every: int, failures: int, timeout: int = 5) -> dict[str, Any]:
    """A probe; times are seconds."""
    return {**action, "periodSeconds": every, "failureThreshold": failures, "timeoutSeconds": timeout}


def pulled(policy: str) -> dict[str, str]:
    """The pull policy of a container, if one is set."""
    return {"imagePullPolicy": policy} if policy else {}


def from_secret(name: str, secret: str, key: str) -> dict[str, Any]:
    """A variable whose value is in a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
