"""The configuration of a Redis that the operator runs. What the lock's safety depends on cannot be overridden."""

from __future__ import annotations

from kubernetes.utils.quantity import parse_quantity

from bidlock_operator.policies import Durability, Policy

PORT, TLS_PORT = 6379, 6380
DATA = "/data"
USERS = "/etc/bidlock/users/users.acl"
TLS = "/etc/bidlock/tls"

DATA_SHARE = 0.75
"""Part of the memory limit that data may fill; the rest is for buffers, and for the copy-on-write of a rewrite."""

FORBIDDEN_PREFIXES = (
    "aof-",
    "append",
    "cluster-",
    "lua-",
    "maxmemory",
    "min-replicas-",
    "min-slaves-",
    "primary",
    "replica",
    "slave",
    "tls-",
)
"""Directives of these families are the operator's; the CustomResourceDefinition refuses them, and so does this module."""


def port(policy: Policy) -> int:
    """The only port: with TLS the plain one is off."""
    return TLS_PORT if policy.redis.tls_secret else PORT


def render(policy: Policy) -> str:
    """The text of redis.conf: the user's directives first, so that the last word is ours."""
    ours = directives(policy)
    theirs = {name: value for name, value in sorted(policy.redis.config.items()) if allowed(name, ours)}
    lines = ["# Written by the bidlock operator; change spec.redis of the policy instead."]
    return "\n".join(lines + [f"{name} {value}" for name, value in (theirs | ours).items()]) + "\n"


def allowed(name: str, ours: dict[str, str]) -> bool:
    """Whether a directive of the user's may be written."""
    return name not in ours and name not in _FORBIDDEN and not name.startswith(FORBIDDEN_PREFIXES)


def directives(policy: Policy) -> dict[str, str]:
    """The operator's directives, all known to Redis 6.2 and to every Valkey."""
    return {
        "bind": "* -::*",
        "protected-mode": "yes",
        **_network(policy),
        "aclfile": USERS,
        "dir": DATA,
        "save": '""',
        **_persistence(policy),
        # A full store refuses to grant; one that evicts would forget a lease, or a marker.
        "maxmemory": str(maxmemory(policy)),
        "maxmemory-policy": "noeviction",
    }


def maxmemory(policy: Policy) -> int:
    """How much data may fill, bytes."""
    limit = parse_quantity(policy.redis.resources["limits"]["memory"])  # type: ignore[no-untyped-call]  # that part of the client has no types
    return int(float(limit) * DATA_SHARE)


def _persistence(policy: Policy) -> dict[str, str]:
    """Strict: nothing is answered before the disk has it, so what a crash tore off was never answered (decision 0013)."""
    strict = policy.redis.durability is Durability.STRICT
    return {
        "appendonly": "yes",
        "appendfsync": "always" if strict else "everysec",
        "no-appendfsync-on-rewrite": "no",
        "aof-load-truncated": "yes",
    }


def _network(policy: Policy) -> dict[str, str]:
    if not policy.redis.tls_secret:
        return {"port": str(PORT)}
    return {
        "port": "0",
        "tls-port": str(TLS_PORT),
        "tls-cert-file": f"{TLS}/tls.crt",
        "tls-key-file": f"{TLS}/tls.key",
        "tls-ca-cert-file": f"{TLS}/ca.crt",
        "tls-auth-clients": "no",
    }


_FORBIDDEN = frozenset(
    {
        "acl-pubsub-default",
        "bind-source-addr",
        "busy-reply-threshold",
        "daemonize",
        "databases",
        "dbfilename",
        "enable-debug-command",
        "enable-module-command",
        "enable-protected-configs",
        "import-mode",
        "include",
        "lazyfree-lazy-user-flush",
        "loadmodule",
        "logfile",
        "masterauth",
        "masteruser",
        "no-appendfsync-on-rewrite",
        "notify-keyspace-events",
        "pidfile",
        "rdb-del-sync-files",
        "rename-command",
        "requirepass",
        "shutdown-on-sigint",
        "shutdown-on-sigterm",
        "shutdown-timeout",
        "supervised",
        "unixsocket",
        "unixsocketperm",
        "user",
    }
)
