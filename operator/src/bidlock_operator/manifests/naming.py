"""Names of a policy's children: deterministic, valid for every kind, and short enough for what Kubernetes appends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bidlock_operator.policies import Policy

LONGEST = 52
"""Of a StatefulSet's name: Kubernetes appends `-` and a hash of ten characters, and a label takes 63."""

_LABEL = 63
_HASH = 8


def bidder(policy: Policy) -> str:
    """The bidders' Deployment or StatefulSet."""
    return _child(policy, "bidder")


def canary(policy: Policy) -> str:
    """The Deployment of bidders that change to a new mode first."""
    return _child(policy, "bidder-canary")


def redis(policy: Policy) -> str:
    """Redis's StatefulSet, Service, ConfigMap, PodDisruptionBudget and NetworkPolicy."""
    return _child(policy, "redis")


def redis_claim(policy: Policy) -> str:
    """The volume of Redis."""
    return _child(policy, "redis-data")


def redis_users(policy: Policy) -> str:
    """The Secret with Redis's ACL."""
    return _child(policy, "redis-acl")


def redis_passwords(policy: Policy) -> str:
    """The Secret with the passwords of Redis's users: the policy's own, else the one that is generated."""
    return policy.redis.auth_secret or _child(policy, "redis-auth")


def agent(policy: Policy) -> str:
    """The SQLite agent's Deployment, Service and NetworkPolicy."""
    return _child(policy, "agent")


def agent_token(policy: Policy) -> str:
    """The Secret with the agent's token."""
    return _child(policy, "agent-token")


def sqlite_claim(policy: Policy) -> str:
    """The volume of the SQLite file: the policy's own, else the one that is made."""
    return policy.sqlite.claim_name or _child(policy, "sqlite")


def service_host(policy: Policy, service: str, domain: str) -> str:
    """A Service as pods anywhere in the cluster resolve it."""
    return f"{service}.{policy.namespace}.svc.{domain}"


def label(policy: Policy) -> str:
    """The policy's name as a label's value."""
    return policy_label(policy.name)


def policy_label(name: str) -> str:
    """A policy's name as a label's value."""
    return _fitting(name, name, _LABEL)


def fingerprint(parts: Iterable[str]) -> str:
    """A short hash that changes when a part does."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_HASH]


def _child(policy: Policy, suffix: str) -> str:
    """A DNS label that begins with a letter; a name that has to be changed gets a hash, so that no two become one."""
    plain = policy.name.replace(".", "-")
    if plain[0].isdigit():
        plain = f"p{plain}"
    return f"{_fitting(plain, policy.name, LONGEST - len(suffix) - 1)}-{suffix}"


def _fitting(text: str, original: str, longest: int) -> str:
    if text == original and len(text) <= longest:
        return text
    return f"{text[: longest - _HASH - 1].rstrip('-.')}-{fingerprint([original])}"
