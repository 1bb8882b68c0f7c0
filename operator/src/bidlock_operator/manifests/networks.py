"""NetworkPolicies of the stores: who may come in; nobody goes out."""

from __future__ import annotations

from typing import Any

from bidlock_operator.manifests import objects
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import Policy


def let_in(policy: Policy, name: str, component: str, port: int, peers: list[dict[str, Any]]) -> dict[str, Any]:
    """Only `peers` reach the component, on one port; it opens no connection of its own."""
    return objects.child(
        policy,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        name,
        component,
        spec={
            "podSelector": {"matchLabels": objects.selector(policy, component)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers, "ports": [{"port": port, "protocol": "TCP"}]}],
        },
    )


def operator(platform: Platform) -> dict[str, Any]:
    """The operator's pods, in whichever namespace they are."""
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": platform.operator_namespace}},
        "podSelector": {"matchLabels": dict(platform.operator_labels)},
    }


def bidders(policy: Policy) -> dict[str, Any]:
    """This policy's bidders, and no others."""
    return {"podSelector": {"matchLabels": objects.selector(policy, objects.BIDDER)}}
