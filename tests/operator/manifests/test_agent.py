"""The children that the SQLite agent consists of."""

from __future__ import annotations

import pytest

from bidlock_operator.manifests import agent, networks
from bidlock_sqlite.agent import wire


def of(made, kind):
    return next(child for child in made if child["kind"] == kind)


@pytest.fixture
def children(policy, platform):
    def make(template=None, **sqlite):
        extra = {} if template is None else {"template": template}
        return agent.children(policy(sqlite=sqlite or {"claimName": "bids"}, **extra), platform)

    return make


@pytest.fixture
def pod(children):
    def make(**sqlite):
        return of(children(**sqlite), "Deployment")["spec"]["template"]["spec"]

    return make


def test_one_pod_at_a_time_has_the_file(children):
    spec = of(children(), "Deployment")["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_volume_is_made_only_when_the_user_brings_none(children):
    assert [child["kind"] for child in children(storage={"size": "1Gi"})] == [
        "PersistentVolumeClaim",
        "Deployment",
        "Service",
        "NetworkPolicy",
    ]
    assert [child["kind"] for child in children(claimName="bids")] == ["Deployment", "Service", "NetworkPolicy"]


def test_a_file_is_made_only_on_a_volume_that_was_made(pod):
    assert "initContainers" not in pod(claimName="bids")
    assert pod(storage={"size": "1Gi"}, path="a/b.db")["initContainers"][0]["command"][-1] == "/var/lib/bidlock/a/b.db"


def test_it_serves_the_file_on_the_users_volume(pod):
    spec = pod(claimName="bids", path="a/b.db")

    assert spec["containers"][0]["args"][:2] == ["--file", "/var/lib/bidlock/a/b.db"]
    assert spec["volumes"][0] == {"name": "sqlite", "persistentVolumeClaim": {"claimName": "bids"}}


def test_it_listens_where_its_clients_look():
    assert agent.PORT == wire.PORT


def test_only_the_operator_comes_in(children, platform):
    assert of(children(), "NetworkPolicy")["spec"]["ingress"][0]["from"] == [networks.operator(platform)]


@pytest.mark.parametrize(
    ("pod_context", "container_context", "identity"),
    [
        ({}, {}, (10001, 10001)),
        ({"runAsUser": 2000}, {}, (2000, 2000)),
        ({"runAsUser": 2000, "fsGroup": 3000}, {}, (2000, 3000)),
        ({"runAsUser": 2000, "runAsGroup": 4000}, {"runAsUser": 2001}, (2001, 4000)),
        ({"runAsUser": 0}, {}, (10001, 10001)),
    ],
    ids=str,
)
def test_it_runs_as_the_user_who_writes_the_file(policy, pod_context, container_context, identity):
    template = {"spec": {"securityContext": pod_context, "containers": [{"name": "b", "securityContext": container_context}]}}

    assert agent.identity(policy(template=template)) == identity


def test_with_a_file_per_pod_there_is_no_agent_of_its_own(children):
    assert children(topology="PerPod") == []


def test_a_token_is_long_enough_and_never_the_same():
    assert len(agent.generate_token()) == 64
    assert agent.generate_token() != agent.generate_token()
