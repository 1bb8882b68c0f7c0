"""A policy, read from the object that the API server sends."""

from __future__ import annotations

import enum
import re
from dataclasses import MISSING, fields, is_dataclass

import pytest

from bidlock_operator import policies
from bidlock_operator.policies import sections

METADATA = {"namespace": "bids", "name": "arbitrage", "uid": "u-1", "generation": 4}
TEMPLATE = {"spec": {"containers": [{"name": "bidder", "image": "example/bidder:1"}]}}


def read(**spec):
    return policies.read({"metadata": METADATA, "spec": {"phase": "DualSupport", "bidder": {"template": TEMPLATE}, **spec}})


def test_a_policy_knows_where_it_lives_and_what_it_asks_for():
    policy = read(phase="RedisPrimary", replicas=6, paused=True, acceptAuthorityLoss=["n-1", "n-2"])

    assert (policy.namespace, policy.name, policy.uid, policy.generation) == ("bids", "arbitrage", "u-1", 4)
    assert (policy.phase, policy.replicas, policy.paused) == (policies.Phase.REDIS_PRIMARY, 6, True)
    assert policy.accepted_losses == {"n-1", "n-2"}


def test_every_section_is_read_field_by_field():
    policy = read(
        lock={"keyPrefix": "arb", "ttlSeconds": 60, "marginSeconds": 2, "waitTimeoutSeconds": 5, "clockSkewSeconds": 90},
        rollout={"strategy": "Manual", "approvedPhase": "RedisOnly", "holdBeforeFlip": True, "canaryReplicas": 1, "maxSurge": 2},
        sqlite={"topology": "PerPod", "storage": {"size": "2Gi", "storageClassName": "fast"}, "path": "a/b.db", "mountPath": "/data"},
        bidder={"template": TEMPLATE, "container": "bidder", "bidTimeoutSeconds": 12},
    )

    assert policy.lock == policies.Lock("arb", 60, 2, 5, 90)
    assert policy.rollout.strategy is policies.Strategy.MANUAL
    assert (policy.rollout.approved_phase, policy.rollout.hold_before_flip) == (policies.Phase.REDIS_ONLY, True)
    assert (policy.rollout.canary_replicas, policy.rollout.max_surge) == (1, 2)
    assert policy.sqlite.topology is policies.Topology.PER_POD
    assert policy.sqlite.storage == policies.Volume("2Gi", "fast")
    assert policy.sqlite.file == "/data/a/b.db"
    assert policy.bidder == policies.Bidder(TEMPLATE, "bidder", 12)


def test_the_redis_section_is_read_field_by_field():
    policy = read(
        redis={
            "mode": "Standalone",
            "image": "valkey:9",
            "imagePullSecrets": [{"name": "pull"}],
            "durability": "None",
            "storage": {"size": "3Gi", "accessMode": "ReadWriteOncePod"},
            "tls": {"secretName": "redis-tls"},
            "auth": {"secretName": "redis-passwords"},
            "config": {"slowlog-max-len": "10"},
        }
    )

    assert (policy.redis.image, policy.redis.image_pull_secrets) == ("valkey:9", ("pull",))
    assert policy.redis.durability is policies.Durability.NONE
    assert policy.redis.storage == policies.Storage(size="3Gi", access_mode="ReadWriteOncePod")
    assert (policy.redis.tls_secret, policy.redis.auth_secret) == ("redis-tls", "redis-passwords")
    assert policy.redis.config == {"slowlog-max-len": "10"}


def test_the_operator_uses_the_bidders_url_when_it_has_none_of_its_own():
    url = {"name": "redis", "key": "url"}

    policy = read(redis={"mode": "External", "external": {"urlSecretRef": url}})

    assert policy.redis.external == policies.External(policies.SecretKey("redis", "url"), policies.SecretKey("redis", "url"))


def test_a_policy_owns_its_stores_by_its_uid():
    assert read().owner == "u-1"


def test_a_policy_takes_up_the_stores_of_the_owner_it_names():
    assert read(storeOwner="u-0").owner == "u-0"


def test_what_is_no_policy_is_refused():
    with pytest.raises(KeyError, match="bidder"):
        policies.read({"metadata": METADATA, "spec": {"phase": "SQLite"}})


SECTIONS = [
    (sections.Lock, ("lock",)),
    (sections.Rollout, ("rollout",)),
    (sections.Sqlite, ("sqlite",)),
    (sections.Redis, ("redis",)),
    (sections.Storage, ("redis", "storage")),
    (sections.Bidder, ("bidder",)),
]


@pytest.mark.parametrize(("section", "path"), SECTIONS, ids=lambda value: value.__name__ if isinstance(value, type) else "")
def test_defaults_are_those_of_the_definition(section, path, schema):
    defined = at(schema, path)

    ours = {camel(known.name): plain(known) for known in fields(section)}
    theirs = {name: field["default"] for name, field in defined["properties"].items() if "default" in field}

    assert {name: ours[name] for name in theirs if name != "storage"} == {n: value for n, value in theirs.items() if n != "storage"}


@pytest.mark.parametrize(("section", "path"), SECTIONS[:5], ids=lambda value: value.__name__ if isinstance(value, type) else "")
def test_the_default_of_a_whole_section_is_made_of_the_defaults_of_its_fields(section, path, schema):
    defined = at(schema, path)

    theirs = {name: field["default"] for name, field in defined["properties"].items() if "default" in field}

    assert defined["default"] == {name: value for name, value in theirs.items() if name in defined["default"]}
    assert set(theirs) - set(defined["default"]) <= {"mountPath"}


@pytest.mark.parametrize(("section", "path"), SECTIONS, ids=lambda value: value.__name__ if isinstance(value, type) else "")
def test_every_field_of_the_definition_is_read(section, path, schema):
    defined = at(schema, path)
    renamed = {"tls": "tlsSecret", "auth": "authSecret"}

    assert {renamed.get(name, name) for name in defined["properties"]} == {camel(known.name) for known in fields(section)}


@pytest.mark.parametrize(
    ("choice", "path"),
    [
        (policies.Phase, ("phase",)),
        (policies.Phase, ("rollout", "approvedPhase")),
        (policies.DeletionPolicy, ("deletionPolicy",)),
        (policies.Strategy, ("rollout", "strategy")),
        (policies.OnFailure, ("rollout", "onFailure")),
        (policies.Topology, ("sqlite", "topology")),
        (policies.RedisMode, ("redis", "mode")),
        (policies.Durability, ("redis", "durability")),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value[-1],
)
def test_choices_are_those_of_the_definition(choice, path, schema):
    defined = at(schema, path)

    assert [member.value for member in choice] == defined["enum"]


def at(schema, path):
    found = schema["spec"]
    for part in path:
        found = found["properties"][part]
    return found


def camel(name):
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)


def plain(known):
    default = known.default if known.default is not MISSING else known.default_factory()
    if isinstance(default, enum.Enum):
        return default.value
    if is_dataclass(default):
        return {camel(inner.name): getattr(default, inner.name) for inner in fields(default)}
    return default
