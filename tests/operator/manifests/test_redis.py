"""The children that a managed Redis consists of."""

from __future__ import annotations

import base64

import pytest

from bidlock_operator.manifests import networks, redis


@pytest.fixture
def children(policy, platform, passwords):
    def of(**spec):
        return {child["kind"]: child for child in redis.children(policy(redis=spec), platform, passwords)}

    return of


@pytest.fixture
def pod(children):
    def of(**spec):
        return children(**spec)["StatefulSet"]["spec"]["template"]["spec"]

    return of


def test_the_same_policy_gives_the_same_children(children):
    assert children() == children()


def test_all_but_the_volume_go_with_the_policy(children):
    owned = {kind for kind, child in children().items() if "ownerReferences" in child["metadata"]}

    assert owned == {"ConfigMap", "Secret", "Service", "NetworkPolicy", "PodDisruptionBudget", "StatefulSet"}


def test_the_volume_goes_too_when_the_policy_says_so(policy):
    owned = redis.claim(policy(deletionPolicy="Delete"))["metadata"]["ownerReferences"]

    assert [(owner["kind"], owner["uid"]) for owner in owned] == [("BidLockPolicy", "u-1")]


def test_every_child_and_its_pods_carry_the_policys_label(children):
    labelled = [child["metadata"] for child in children().values()] + [children()["StatefulSet"]["spec"]["template"]["metadata"]]

    assert {metadata["labels"]["bidlock.io/policy"] for metadata in labelled} == {"arbitrage"}
    assert {metadata["labels"]["app.kubernetes.io/component"] for metadata in labelled} == {"redis"}


def test_there_is_one_server_which_only_the_operator_replaces(children):
    spec = children()["StatefulSet"]["spec"]

    assert (spec["replicas"], spec["updateStrategy"]) == (1, {"type": "OnDelete"})


def test_the_volume_is_as_asked_for(children):
    spec = children(storage={"size": "5Gi", "storageClassName": "fast", "accessMode": "ReadWriteOncePod"})["PersistentVolumeClaim"]["spec"]

    assert spec == {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "5Gi"}}, "storageClassName": "fast"}


def test_a_server_that_is_not_ready_is_not_hidden(children):
    assert children()["Service"]["spec"]["publishNotReadyAddresses"] is True


def test_only_bidders_of_this_policy_and_the_operator_come_in_and_nobody_goes_out(children, policy, platform):
    spec = children()["NetworkPolicy"]["spec"]

    assert spec["ingress"] == [
        {"from": [networks.bidders(policy()), networks.operator(platform)], "ports": [{"port": 6379, "protocol": "TCP"}]}
    ]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in spec


@pytest.mark.parametrize(("durability", "allowed"), [("Strict", 1), ("None", 0)])
def test_only_a_durable_server_may_be_evicted(children, durability, allowed):
    assert children(durability=durability)["PodDisruptionBudget"]["spec"]["maxUnavailable"] == allowed


def test_passwords_are_nowhere_in_clear(children, passwords):
    text = str(children()) + base64.b64decode(children()["Secret"]["data"]["users.acl"]).decode()

    assert not any(password in text for password in passwords.data().values())


@pytest.mark.parametrize("changed", [{"config": {"slowlog-max-len": "5"}}, {"durability": "None"}, {"tls": {"secretName": "tls"}}], ids=str)
def test_a_changed_configuration_changes_the_pod(children, changed):
    def revision(**spec):
        return children(**spec)["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]["bidlock.io/config"]

    assert revision(**changed) != revision()


def test_the_image_is_the_policys_else_the_operators(pod):
    assert [pod(**spec)["containers"][0]["image"] for spec in ({}, {"image": "redis:8"})] == ["valkey/valkey:8.1", "redis:8"]


def test_scheduling_and_pull_secrets_are_passed_on(pod):
    spec = pod(scheduling={"nodeSelector": {"disk": "nvme"}, "priorityClassName": "high"}, imagePullSecrets=[{"name": "pull"}])

    assert (spec["nodeSelector"], spec["priorityClassName"]) == ({"disk": "nvme"}, "high")
    assert spec["imagePullSecrets"] == [{"name": "pull"}]


def test_with_tls_the_plain_port_is_gone_everywhere(children, pod):
    made = children(tls={"secretName": "redis-tls"})
    container = pod(tls={"secretName": "redis-tls"})["containers"][0]

    assert [port["port"] for port in made["Service"]["spec"]["ports"]] == [6380]
    assert [port["port"] for rule in made["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]] == [6380]
    assert [port["containerPort"] for port in container["ports"]] == [6380]
    assert all("--tls --cacert" in container[probe]["exec"]["command"][-1] for probe in ("startupProbe", "readinessProbe", "livenessProbe"))


def test_bidders_reach_it_by_its_service(policy, platform):
    assert redis.endpoint(policy(), platform) == "arbitrage-redis.bids.svc.cluster.local:6379"
