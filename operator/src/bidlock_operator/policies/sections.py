"""The sections of a policy's spec. Field by field as in the CustomResourceDefinition, defaults included; times are seconds."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bidlock_operator.policies.phases import Phase


class DeletionPolicy(enum.StrEnum):
    """What becomes of the volumes that the operator made."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Strategy(enum.StrEnum):
    """Who says how far a fleet may walk."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class OnFailure(enum.StrEnum):
    """What is done with a step that took too long."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"


class Topology(enum.StrEnum):
    """Whether bidders have one SQLite file in common."""

    SHARED_FILE = "SharedFile"
    PER_POD = "PerPod"


class RedisMode(enum.StrEnum):
    """How Redis is deployed."""

    STANDALONE = "Standalone"
    SENTINEL = "Sentinel"
    CLUSTER = "Cluster"
    EXTERNAL = "External"


class Durability(enum.StrEnum):
    """Whether Redis answers only after the disk has it."""

    STRICT = "Strict"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Lock:
    """`spec.lock`: how locks are named and how long they live."""

    key_prefix: str = "bidlock"
    ttl_seconds: int = 300
    margin_seconds: int = 5
    wait_timeout_seconds: int = 10
    clock_skew_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Rollout:
    """`spec.rollout`: how the fleet is moved. `max_unavailable` and `max_surge` are numbers or percentages."""

    strategy: Strategy = Strategy.AUTOMATIC
    approved_phase: Phase | None = None
    hold_before_flip: bool = False
    canary_replicas: int = 0
    soak_seconds: int = 60
    progress_deadline_seconds: int = 1800
    on_failure: OnFailure = OnFailure.HOLD
    max_unavailable: int | str = "25%"
    max_surge: int | str = "25%"


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that the operator makes; an empty class is the cluster's default."""

    size: str
    storage_class_name: str = ""


@dataclass(frozen=True, slots=True)
class Storage(Volume):
    """`spec.redis.storage`: a volume that keeps a second server out, by its access mode or a lock file."""

    size: str = "1Gi"
    access_mode: str = "ReadWriteOnce"


class Adoption(enum.StrEnum):
    """What is bid on after a file of original bots was adopted, in which they left no trace of what they had bid on."""

    NEW_POSTINGS = "NewPostings"
    ALL_POSTINGS = "AllPostings"


@dataclass(frozen=True, slots=True)
class Sqlite:
    """`spec.sqlite`: the file the fleet comes from, at `path` on its volume, which bidders mount at `mount_path`."""

    topology: Topology = Topology.SHARED_FILE
    claim_name: str = ""
    storage: Volume | None = None
    path: str = "bids.db"
    mount_path: str = "/var/lib/bidlock"
    legacy_pods: bool = False
    adoption: Adoption = Adoption.NEW_POSTINGS

    @property
    def file(self) -> str:
        """The file as a bidder sees it."""
        return f"{self.mount_path}/{self.path}"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A value in a Secret."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class External:
    """`spec.redis.external`: where the URLs of a server of the user's own stand."""

    url: SecretKey
    operator_url: SecretKey


RESOURCES: Mapping[str, Any] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}


@dataclass(frozen=True, slots=True)
class Redis:
    """`spec.redis`: the Redis the fleet goes to. Empty texts are what was left out."""

    mode: RedisMode = RedisMode.STANDALONE
    image: str = ""
    image_pull_secrets: tuple[str, ...] = ()
    durability: Durability = Durability.STRICT
    accept_not_durable: bool = False
    storage: Storage = Storage()
    resources: Mapping[str, Any] = field(default_factory=lambda: RESOURCES)
    scheduling: Mapping[str, Any] = field(default_factory=dict)
    tls_secret: str = ""
    auth_secret: str = ""
    external: External | None = None
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Whether the operator runs the server."""
        return self.mode is RedisMode.STANDALONE

    @property
    def supported(self) -> bool:
        """Whether this version can work with the mode."""
        return self.mode in (RedisMode.STANDALONE, RedisMode.EXTERNAL)


@dataclass(frozen=True, slots=True)
class Bidder:
    """`spec.bidder`: the user's own pod template, and which of its containers bids (empty: the first)."""

    template: Mapping[str, Any] = field(default_factory=dict)
    container: str = ""
    bid_timeout_seconds: int = 30
