"""The SQLite agent: the one pod through which the operator reaches the file, on the volume's node."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bidlock_operator.manifests import naming, networks, objects, pods
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import Policy, Topology

PORT = 8741
"""Where it listens, its own default."""

USER = 10001
"""Where the bidder's template names no user; a file must be writable for both, so they should be one."""

DATA = "/var/lib/bidlock"
TOKEN = "/etc/bidlock/agent"  # noqa: S105 — a folder
TOKEN_KEY = "token"  # noqa: S105 — a key

_MAKE = "import os,sys; p=sys.argv[1]; os.umask(0o007); os.makedirs(os.path.dirname(p), exist_ok=True); os.close(os.open(p, os.O_CREAT|os.O_RDWR, 0o660))"


def children(policy: Policy, platform: Platform) -> list[dict[str, Any]]:
    """Deployment, Service and NetworkPolicy, and the volume when the operator makes it.

    With a file per pod there is none of them: the agent is a container of the bidder's pod, whose network is the user's.
    """
    if policy.sqlite.topology is Topology.PER_POD:
        return []
    made = [claim(policy)] if policy.sqlite.storage else []
    network = networks.let_in(policy, naming.agent(policy), objects.AGENT, PORT, [networks.operator(platform)])
    return [*made, deployment(policy, platform), service(policy), network]


def token_secret(policy: Policy, token: str) -> dict[str, Any]:
    """The Secret with the token; created once, never applied over an older one."""
    return objects.secret(policy, naming.agent_token(policy), objects.AGENT, {TOKEN_KEY: token})


def generate_token() -> str:
    """A fresh token."""
    return secrets.token_hex(32)


def claim(policy: Policy) -> dict[str, Any]:
    """The volume of the file."""
    storage = policy.sqlite.storage
    if storage is None:
        raise ValueError("the policy brings a volume of its own, none is made")
    spec = objects.claim_spec(storage.size, storage.storage_class_name, "ReadWriteOnce")
    return objects.claim(policy, naming.sqlite_claim(policy), objects.AGENT, spec)


def service(policy: Policy) -> dict[str, Any]:
    """Its address."""
    return objects.child(
        policy,
        "v1",
        "Service",
        naming.agent(policy),
        objects.AGENT,
        spec={
            "selector": objects.selector(policy, objects.AGENT),
            "publishNotReadyAddresses": True,
            "ports": [{"name": "agent", "port": PORT, "targetPort": "agent", "protocol": "TCP"}],
        },
    )


def deployment(policy: Policy, platform: Platform) -> dict[str, Any]:
    """One pod; Recreate, because a second one would wait for the first one's volume."""
    return objects.child(
        policy,
        "apps/v1",
        "Deployment",
        naming.agent(policy),
        objects.AGENT,
        spec={
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": objects.selector(policy, objects.AGENT)},
            "template": {"metadata": {"labels": objects.labels(policy, objects.AGENT)}, "spec": _pod(policy, platform)},
        },
    )


def container(platform: Platform, *, file: str, volume: str, mount: str) -> dict[str, Any]:
    """The agent's container; alone in its pod, or beside a bidder."""
    health = {"httpGet": {"path": "/healthz", "port": "agent"}}
    return {
        "name": "bidlock-agent",
        "image": platform.agent_image,
        **pods.pulled(platform.image_pull_policy),
        "args": ["--file", file, "--token-file", f"{TOKEN}/{TOKEN_KEY}", "--listen", f"0.0.0.0:{PORT}"],
        "ports": [{"name": "agent", "containerPort": PORT, "protocol": "TCP"}],
        "env": [{"name": "BIDLOCK_PLUGINS", "value": "sqlite"}],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": pods.CONTAINER_SECURITY,
        "startupProbe": pods.probe(health, every=1, failures=120),
        "readinessProbe": pods.probe(health, every=5, failures=3),
        # Only that it listens: a file that is not there is told by the readiness, and no restart brings it back.
        "livenessProbe": pods.probe({"tcpSocket": {"port": "agent"}}, every=10, failures=6),
        "volumeMounts": [
            {"name": volume, "mountPath": mount},
            {"name": "bidlock-agent-token", "mountPath": TOKEN, "readOnly": True},
        ],
    }


def token_volume(policy: Policy) -> dict[str, Any]:
    """The volume with the token, for `container`."""
    return {"name": "bidlock-agent-token", "secret": {"secretName": naming.agent_token(policy)}}


def maker(platform: Platform, *, file: str, volume: str, mount: str) -> dict[str, Any]:
    """Makes an empty file on a volume that the operator made; on a volume of the user's, a missing file is a mistake."""
    return {
        "name": "bidlock-file",
        "image": platform.agent_image,
        **pods.pulled(platform.image_pull_policy),
        "command": ["python3", "-c", _MAKE, file],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [{"name": volume, "mountPath": mount}],
    }


def _pod(policy: Policy, platform: Platform) -> dict[str, Any]:
    place = {"file": f"{DATA}/{policy.sqlite.path}", "volume": "sqlite", "mount": DATA}
    user, group = identity(policy)
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": pods.security(user, group),
        "affinity": {"podAffinity": together(policy, objects.BIDDER)},
        **({"initContainers": [maker(platform, **place)]} if policy.sqlite.storage else {}),
        "containers": [container(platform, **place)],
        "volumes": [
            {"name": "sqlite", "persistentVolumeClaim": {"claimName": naming.sqlite_claim(policy)}},
            token_volume(policy),
        ],
    }


def together(policy: Policy, component: str) -> dict[str, Any]:
    """On the node of another component, if it has room: a volume of one node is mounted nowhere else."""
    term = {"labelSelector": {"matchLabels": objects.selector(policy, component)}, "topologyKey": "kubernetes.io/hostname"}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}


def identity(policy: Policy) -> tuple[int, int]:
    """User and group of the bidders, as far as their template names them and they are not root."""
    spec = policy.bidder.template.get("spec", {})
    contexts = [bidder_container(policy).get("securityContext", {}), spec.get("securityContext", {})]
    user = next((int(context["runAsUser"]) for context in contexts if context.get("runAsUser")), USER)
    group = spec.get("securityContext", {}).get("fsGroup") or next((c["runAsGroup"] for c in contexts if c.get("runAsGroup")), user)
    return user, int(group)


def bidder_container(policy: Policy) -> Mapping[str, Any]:
    """The container of the template that bids; an empty one when there is none."""
    containers: list[Mapping[str, Any]] = policy.bidder.template.get("spec", {}).get("containers", [])
    return next((one for one in containers if policy.bidder.container in ("", one.get("name"))), {})
