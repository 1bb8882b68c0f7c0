"""What all children have in common: metadata, labels, owner."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from bidlock_operator.manifests import naming
from bidlock_operator.policies import DeletionPolicy, Policy
from bidlock_operator.resources import GROUP, POLICY

POLICY_LABEL = f"{GROUP}/policy"
MODE_LABEL = f"{GROUP}/mode"
TRACK_LABEL = f"{GROUP}/track"
"""`stable` or `canary`: keeps the selectors of the two Deployments of bidders apart."""

COMPONENT_LABEL = "app.kubernetes.io/component"
CONFIG_ANNOTATION = f"{GROUP}/config"
"""On a pod template: a hash of what the pod reads and the template does not say."""

BIDDER, REDIS, AGENT = "bidder", "redis", "agent"
"""Components."""


def selector(policy: Policy, component: str) -> dict[str, str]:
    """Labels by which a component's pods are found; they never change."""
    return {POLICY_LABEL: naming.label(policy), COMPONENT_LABEL: component}


def labels(policy: Policy, component: str) -> dict[str, str]:
    """Labels of a component's objects."""
    return {
        "app.kubernetes.io/name": "bidlock",
        "app.kubernetes.io/instance": naming.label(policy),
        "app.kubernetes.io/managed-by": "bidlock-operator",
        **selector(policy, component),
    }


def child(policy: Policy, api_version: str, kind: str, name: str, component: str, **body: Any) -> dict[str, Any]:
    """A child that goes when its policy goes."""
    return _manifest(policy, api_version, kind, name, component, {"ownerReferences": [_owner(policy)]}, body)


def secret(policy: Policy, name: str, component: str, data: Mapping[str, str]) -> dict[str, Any]:
    """A Secret. Not as `stringData`: the server never gives that back, so an applier would write it again and again."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return child(policy, "v1", "Secret", name, component, type="Opaque", data=encoded)


def claim(policy: Policy, name: str, component: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A PersistentVolumeClaim: without an owner it stays when its policy goes, and is found again by its name."""
    owner = {"ownerReferences": [_owner(policy)]} if policy.deletion_policy is DeletionPolicy.DELETE else {}
    return _manifest(policy, "v1", "PersistentVolumeClaim", name, component, owner, {"spec": spec})


def claim_spec(size: str, storage_class: str, access_mode: str) -> dict[str, Any]:
    """Spec of a claim; a class that is left out is the cluster's default."""
    named = {"storageClassName": storage_class} if storage_class else {}
    return {"accessModes": [access_mode], "resources": {"requests": {"storage": size}}, **named}


def _manifest(
    policy: Policy, api_version: str, kind: str, name: str, component: str, metadata: dict[str, Any], body: dict[str, Any]
) -> dict[str, Any]:
    common = {"name": name, "namespace": policy.namespace, "labels": labels(policy, component)}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**common, **metadata}, **body}


def _owner(policy: Policy) -> dict[str, Any]:
    # Not blockOwnerDeletion: where OwnerReferencesPermissionEnforcement is on it needs rights on finalizers.
    return {"apiVersion": POLICY.api_version, "kind": POLICY.kind, "name": policy.name, "uid": policy.uid, "controller": True}
