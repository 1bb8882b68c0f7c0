"""What a bidder is told: its `BIDLOCK_*` variables, and the volumes that its mode needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bidlock.modes import MODES, Role
from bidlock_operator.manifests import acl, naming, pods, redis
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import Policy

CERTIFICATE = "/etc/bidlock/redis"
"""Folder of the authority that signed Redis's certificate."""

SQLITE_VOLUME = "bidlock-sqlite"
CERTIFICATE_VOLUME = "bidlock-redis-ca"


@dataclass(frozen=True, slots=True)
class Equipment:
    """What is added to every container of a bidder's pod.

    Attributes:
        variables: Entries of `env`, in an order in which later ones may refer to earlier ones.
        mounts: Entries of `volumeMounts`.
        volumes: Entries of the pod's `volumes`.
    """

    variables: tuple[Mapping[str, Any], ...]
    mounts: tuple[Mapping[str, Any], ...] = ()
    volumes: tuple[Mapping[str, Any], ...] = field(default=())


def equip(policy: Policy, mode: str, platform: Platform, sqlite_volume: Mapping[str, Any] | None) -> Equipment:
    """What a bidder of a mode needs.

    Args:
        policy: What is asked for.
        mode: The mode it starts in; a store that the mode never touches is not named.
        platform: Where it runs.
        sqlite_volume: The pod's volume with the file; None where the kind of the bidders adds it by itself.
    """
    roles = {*MODES[mode].roles, *MODES[mode].marks}
    parts = [_common(policy, mode)]
    if Role.ORIGIN in roles:
        parts.append(_sqlite(policy, sqlite_volume))
    if Role.TARGET in roles:
        parts.append(_redis(policy, platform))
    return Equipment(
        tuple(variable for part in parts for variable in part.variables),
        tuple(mount for part in parts for mount in part.mounts),
        tuple(volume for part in parts for volume in part.volumes),
    )


def reserved(names: Iterable[str]) -> frozenset[str]:
    """Those of the names that only the operator may set."""
    return frozenset(names) & _RESERVED


def _common(policy: Policy, mode: str) -> Equipment:
    lock = policy.lock
    told = {
        "BIDLOCK_POLICY": policy.owner,
        "BIDLOCK_MODE": mode,
        "BIDLOCK_PREFIX": lock.key_prefix,
        "BIDLOCK_BUCKETS": "1",
        "BIDLOCK_TTL": str(lock.ttl_seconds),
        "BIDLOCK_MARGIN": str(lock.margin_seconds),
        "BIDLOCK_TIMEOUT": str(lock.wait_timeout_seconds),
    }
    return Equipment(tuple(_variable(name, value) for name, value in told.items()))


def _sqlite(policy: Policy, volume: Mapping[str, Any] | None) -> Equipment:
    return Equipment(
        variables=(_variable("BIDLOCK_SQLITE_URL", f"sqlite:///{policy.sqlite.file}"),),
        mounts=({"name": SQLITE_VOLUME, "mountPath": policy.sqlite.mount_path},),
        volumes=(volume,) if volume else (),
    )


def _redis(policy: Policy, platform: Platform) -> Equipment:
    external = policy.redis.external
    if external:
        return Equipment((pods.from_secret("BIDLOCK_REDIS_URL", external.url.name, external.url.key),))
    password = pods.from_secret("BIDLOCK_REDIS_PASSWORD", naming.redis_passwords(policy), acl.BIDDER)
    place = f"{acl.BIDDER}:$(BIDLOCK_REDIS_PASSWORD)@{redis.endpoint(policy, platform)}/0"
    if not policy.redis.tls_secret:
        return Equipment((password, _variable("BIDLOCK_REDIS_URL", f"redis://{place}")))
    secret = {"secretName": policy.redis.tls_secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return Equipment(
        variables=(password, _variable("BIDLOCK_REDIS_URL", f"rediss://{place}?ssl_ca_certs={CERTIFICATE}/ca.crt")),
        mounts=({"name": CERTIFICATE_VOLUME, "mountPath": CERTIFICATE, "readOnly": True},),
        volumes=({"name": CERTIFICATE_VOLUME, "secret": secret},),
    )


def _variable(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


_RESERVED = frozenset(
    f"BIDLOCK_{name}"
    for name in (
        *("URL", "SQLITE_URL", "REDIS_URL", "REDIS_PASSWORD", "MODE", "MODE_FILE", "POLICY", "PREFIX", "BUCKETS"),
        *("TTL", "TTL_MAX", "MARGIN", "TIMEOUT", "ORIGINAL_KEYS"),
    )
)
