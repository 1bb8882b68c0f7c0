"""What a topology allows."""

from __future__ import annotations

import pytest

from bidlock.migration.register import Register
from bidlock.modes import Role
from bidlock_operator import policies

PER_POD = {"topology": "PerPod", "storage": {"size": "1Gi"}}


def policy(sqlite, replicas=5):
    spec = {"phase": "RedisOnly", "replicas": replicas, "bidder": {"template": {}}, "sqlite": sqlite}
    return policies.read({"metadata": {"name": "p", "uid": "u"}, "spec": spec})


def at(source, to):
    return Register(1, source, to, Role.ORIGIN, "file")


@pytest.mark.parametrize("register", [None, at("sqlite", "sqlite"), at("only", "only")], ids=str)
def test_with_one_file_for_all_any_number_runs(register):
    assert policies.replicas(policy({"claimName": "bids"}), register) == 5


@pytest.mark.parametrize(
    ("register", "running"),
    [
        (None, 1),
        (at("sqlite", "sqlite"), 1),
        (at("dual", "strict"), 1),
        (at("strict", "strict"), 1),
        (at("strict", "primary"), 1),
        (at("primary", "strict"), 1),
        (at("primary", "primary"), 5),
        (at("primary", "only"), 5),
        (at("only", "only"), 5),
    ],
    ids=str,
)
def test_with_a_file_per_pod_one_runs_until_redis_alone_decides(register, running):
    assert policies.replicas(policy(PER_POD), register) == running


def test_none_runs_when_none_is_wanted():
    assert policies.replicas(policy(PER_POD, replicas=0), None) == 0


@pytest.mark.parametrize(
    ("sqlite", "storage"),
    [
        ({}, policies.Volume("1Gi")),
        ({"claimName": "bids"}, None),
        ({"storage": {"size": "5Gi"}}, policies.Volume("5Gi")),
        ({"topology": "PerPod"}, None),
    ],
    ids=str,
)
def test_a_shared_file_has_a_volume_in_any_case(sqlite, storage):
    assert policy(sqlite).sqlite.storage == storage
