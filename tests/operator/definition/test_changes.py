"""What the API server accepts and refuses of a change to a spec, on a real one."""

from __future__ import annotations

import pytest

from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import Role
from bidlock_operator import registers

NOTHING: dict[str, object] = {}


def register(mode):
    role = Role.TARGET if mode in ("primary", "only") else Role.ORIGIN
    return registers.write(Register(1 << 32, mode, mode, role, "file-1", (BucketRegister("n-1", 1),))) | {"ttlMaxSeconds": 300}


EXTERNAL = {"mode": "External", "external": {"urlSecretRef": {"name": "redis", "key": "url"}}}
STORED = {"sqlite": {"storage": {"size": "1Gi", "storageClassName": "fast"}}}

ACCEPTED = {
    "the phase": (NOTHING, {"phase": "RedisOnly"}, register("sqlite")),
    "more room for Redis": ({"redis": {"storage": {"size": "1Gi"}}}, {"redis": {"storage": {"size": "1025Mi"}}}, None),
    "the same room in other words": ({"redis": {"storage": {"size": "1Gi"}}}, {"redis": {"storage": {"size": "1024Mi"}}}, None),
    "a size for the file's volume": (NOTHING, {"sqlite": {"storage": {"size": "2Gi"}}}, None),
    "a volume in place of a claim": ({"sqlite": {"claimName": "a"}}, {"sqlite": {"claimName": None, **STORED["sqlite"]}}, None),
    "files of their own on volumes of a class": (
        NOTHING,
        {"sqlite": {"topology": "PerPod", **STORED["sqlite"]}},
        register("primary"),
    ),
    "more room for the file": (STORED, {"sqlite": {"storage": {"size": "2Gi"}}}, None),
    "Redis, while SQLite has the authority": (NOTHING, {"redis": EXTERNAL}, register("strict")),
    "Redis, before there is a register": (NOTHING, {"redis": EXTERNAL}, None),
    "the file, while Redis has the authority": (NOTHING, {"sqlite": {"path": "other.db"}}, register("primary")),
    "the file's claim, while Redis has the authority": ({"sqlite": {"claimName": "a"}}, {"sqlite": {"claimName": "b"}}, register("only")),
    "the file, before there is a register": (NOTHING, {"sqlite": {"path": "other.db", "claimName": "a"}}, None),
    "the file's mount": (NOTHING, {"sqlite": {"mountPath": "/data"}}, register("dual")),
    "a shorter TTL": (NOTHING, {"lock": {"ttlSeconds": 100}}, register("dual")),
    "a longer TTL, before there is a register": (NOTHING, {"lock": {"ttlSeconds": 600}}, None),
    "the owner, before there is a register": (NOTHING, {"storeOwner": "old"}, None),
    "the owner, before there is a register, although there is a status": (NOTHING, {"storeOwner": "old"}, {"observedGeneration": 1}),
}

REFUSED = {
    "the prefix": (NOTHING, {"lock": {"keyPrefix": "other"}}, None, "spec.lock.keyPrefix is immutable"),
    "the margin": (NOTHING, {"lock": {"marginSeconds": 6}}, None, "spec.lock.marginSeconds is immutable"),
    "less room for Redis": (
        {"redis": {"storage": {"size": "2Gi"}}},
        {"redis": {"storage": {"size": "2G"}}},
        None,
        "spec.redis.storage.size may only grow",
    ),
    "no room for Redis": ({"redis": {"storage": {"size": "2Gi"}}}, {"redis": {"storage": None}}, None, "may only grow"),
    "the class of Redis's volume": (
        {"redis": {"storage": {"storageClassName": "fast"}}},
        {"redis": {"storage": {"storageClassName": "slow"}}},
        None,
        "spec.redis.storage.storageClassName is immutable",
    ),
    "no class of Redis's volume": (
        {"redis": {"storage": {"storageClassName": "fast"}}},
        {"redis": {"storage": {"storageClassName": None}}},
        None,
        "spec.redis.storage.storageClassName is immutable",
    ),
    "the access to Redis's volume": (
        NOTHING,
        {"redis": {"storage": {"accessMode": "ReadWriteOncePod"}}},
        None,
        "spec.redis.storage.accessMode is immutable",
    ),
    "room for files of their own": (
        {"sqlite": {"topology": "PerPod"}},
        {"sqlite": {"storage": {"size": "1Gi"}}},
        None,
        "spec.sqlite.storage is immutable with topology PerPod",
    ),
    "more room for files of their own": (
        {"sqlite": {"topology": "PerPod", "storage": {"size": "1Gi"}}},
        {"sqlite": {"storage": {"size": "2Gi"}}},
        None,
        "spec.sqlite.storage is immutable with topology PerPod",
    ),
    "a class for the file's volume": (NOTHING, STORED, None, "give spec.sqlite.storage without storageClassName"),
    "less room than the file has": (NOTHING, {"sqlite": {"storage": {"size": "512Mi"}}}, None, "there already, of 1Gi"),
    "less room for the file": (STORED, {"sqlite": {"storage": {"size": "1M"}}}, None, "spec.sqlite.storage.size may only grow"),
    "no room for the file": (STORED, {"sqlite": {"storage": None}}, None, "spec.sqlite.storage may not be removed"),
    "the class of the file's volume": (
        STORED,
        {"sqlite": {"storage": {"storageClassName": None}}},
        None,
        "spec.sqlite.storage.storageClassName is immutable",
    ),
    "Redis, while it has the authority": (NOTHING, {"redis": EXTERNAL}, register("primary"), "only while SQLite has the authority"),
    "the file's path, while SQLite has the authority": (
        NOTHING,
        {"sqlite": {"path": "other.db"}},
        register("dual"),
        "only while Redis has the authority",
    ),
    "the file's claim, while SQLite has the authority": (
        {"sqlite": {"claimName": "a"}},
        {"sqlite": {"claimName": "b"}},
        register("strict"),
        "only while Redis has the authority",
    ),
    "a claim for the file, while SQLite has the authority": (
        NOTHING,
        {"sqlite": {"claimName": "b"}},
        register("dual"),
        "only while Redis has the authority",
    ),
    "the topology, while SQLite has the authority": (
        NOTHING,
        {"sqlite": {"topology": "PerPod"}},
        register("sqlite"),
        "only while Redis has the authority",
    ),
    "a TTL longer than the stores admit": (NOTHING, {"lock": {"ttlSeconds": 301}}, register("dual"), "may not exceed status.ttlMaxSeconds"),
    "the owner": (NOTHING, {"storeOwner": "other"}, register("dual"), "spec.storeOwner is immutable"),
    "no owner": ({"storeOwner": "old"}, {"storeOwner": None}, register("dual"), "spec.storeOwner is immutable"),
    "too many bidders with files of their own": (
        {"sqlite": {"topology": "PerPod"}, "phase": "RedisOnly", "replicas": 3},
        {"phase": "DualSupport"},
        None,
        "take at most one replica",
    ),
}


@pytest.mark.parametrize(("before", "change", "status"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_may_be_changed(policies, before, change, status):
    assert policies.write(status, **before).change(**change) == ""


@pytest.mark.parametrize(("before", "change", "status", "said"), REFUSED.values(), ids=REFUSED)
def test_what_may_not_be_changed(policies, before, change, status, said):
    assert said in policies.write(status, **before).change(**change)


def test_bidders_are_scaled_by_the_subresource(policies):
    policy = policies.write()

    assert policy.scale(5) == ""
    assert policy.read()["spec"]["replicas"] == 5


def test_bidders_with_files_of_their_own_are_not_scaled_up(policies):
    assert "take at most one replica" in policies.write(sqlite={"topology": "PerPod"}).scale(2)


def test_a_policy_whose_spec_was_corrected_can_still_be_changed_while_it_has_a_register(policies):
    """A rule that is broken by what is stored would block every later write, that of the finalizer included."""
    policy = policies.write(register("dual"))

    assert policy.change(paused=True) == ""
    assert policy.report(observedGeneration=2) == ""
