"""A whole policy, and how it is read from the object that the API server sends."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from bidlock_operator.policies.phases import Phase
from bidlock_operator.policies.sections import (
    Bidder,
    DeletionPolicy,
    External,
    Lock,
    Redis,
    Rollout,
    SecretKey,
    Sqlite,
    Storage,
    Topology,
    Volume,
)

_Section = TypeVar("_Section")

DEFAULT_SIZE = "1Gi"
"""Of the volume for a SQLite file, where a policy names no volume at all."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy's metadata and spec.

    Attributes:
        namespace: Where it lives.
        name: Its name there.
        uid: Its identity; a policy that is deleted and made again has another one.
        generation: Counts the changes of its spec.
        phase: The phase it asks for.
        replicas: How many bidders shall run.
        paused: Whether the operator shall leave everything as it is.
        deletion_policy: What becomes of volumes when it is deleted.
        store_owner: Whose stores it takes up; empty for its own.
        accepted_losses: Quarantine nonces of losses that a human accepts.
        lock: How locks are named and how long they live.
        rollout: How the fleet is moved.
        sqlite: The file the fleet comes from.
        redis: The Redis it goes to.
        bidder: The bidders.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    phase: Phase
    replicas: int = 1
    paused: bool = False
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    store_owner: str = ""
    accepted_losses: frozenset[str] = frozenset()
    lock: Lock = field(default_factory=Lock)
    rollout: Rollout = field(default_factory=Rollout)
    sqlite: Sqlite = field(default_factory=Sqlite)
    redis: Redis = field(default_factory=Redis)
    bidder: Bidder = field(default_factory=Bidder)

    @property
    def owner(self) -> str:
        """The owner in every store's meta, and `BIDLOCK_POLICY` of every bidder."""
        return self.store_owner or self.uid


def read(body: Mapping[str, Any]) -> Policy:
    """Read an object as the API server sends it; what an older object lacks has its default.

    Raises:
        KeyError: it is no policy: the definition requires what is missing.
        ValueError: a choice is none of the definition's.
    """
    metadata, spec = body["metadata"], body["spec"]
    return Policy(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
        generation=int(metadata.get("generation", 0)),
        phase=Phase(spec["phase"]),
        replicas=int(spec.get("replicas", 1)),
        paused=bool(spec.get("paused", False)),
        deletion_policy=DeletionPolicy(spec.get("deletionPolicy", DeletionPolicy.RETAIN)),
        store_owner=str(spec.get("storeOwner", "")),
        accepted_losses=frozenset(spec.get("acceptAuthorityLoss", ())),
        lock=_section(Lock, spec.get("lock", {})),
        rollout=_rollout(spec.get("rollout", {})),
        sqlite=_sqlite(spec.get("sqlite", {})),
        redis=_redis(spec.get("redis", {})),
        bidder=_section(Bidder, spec["bidder"]),
    )


def _rollout(raw: Mapping[str, Any]) -> Rollout:
    approved = raw.get("approvedPhase")
    return _section(Rollout, raw, approved_phase=Phase(approved) if approved else None)


def _sqlite(raw: Mapping[str, Any]) -> Sqlite:
    """A file that is shared needs a volume: one of the user's, or one that is made."""
    shared = raw.get("topology", Topology.SHARED_FILE) == Topology.SHARED_FILE
    storage = raw.get("storage") or ({"size": DEFAULT_SIZE} if shared and not raw.get("claimName") else None)
    return _section(Sqlite, raw, storage=_section(Volume, storage) if storage else None)


def _redis(raw: Mapping[str, Any]) -> Redis:
    return _section(
        Redis,
        raw,
        image_pull_secrets=tuple(str(secret["name"]) for secret in raw.get("imagePullSecrets", ())),
        storage=_section(Storage, raw.get("storage", {})),
        tls_secret=str(raw.get("tls", {}).get("secretName", "")),
        auth_secret=str(raw.get("auth", {}).get("secretName", "")),
        external=_external(raw["external"]) if "external" in raw else None,
    )


def _external(raw: Mapping[str, Any]) -> External:
    url = raw["urlSecretRef"]
    return External(SecretKey(**url), SecretKey(**raw.get("operatorUrlSecretRef", url)))


def _section(kind: type[_Section], raw: Mapping[str, Any], **read_already: Any) -> _Section:
    """Fill a section's fields from their namesakes; those that need more than that were read already."""
    values = dict(read_already)
    for known in fields(kind):  # type: ignore[arg-type]  # every section is a dataclass
        name = _camel(known.name)
        if known.name not in values and name in raw:
            default = known.default
            choice = type(default) if default is not MISSING and isinstance(default, enum.Enum) else None
            values[known.name] = choice(raw[name]) if choice else raw[name]
    return kind(**values)


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)
