"""The API tier is the API server that users run: what it stores, refuses, defaults and sets in motion."""

from __future__ import annotations

import json
import ssl
import urllib.request

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from bidlock_kube.errors import KubeError
from bidlock_kube.programs import PROGRAMS

POD = {"containers": [{"name": "main", "image": "nowhere.invalid/main:1"}]}


def configmap(namespace: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colours", "namespace": namespace}, "data": data}


def deployment(namespace: str, replicas: int) -> dict:
    labels = {"app": "bidder"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bidder", "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": POD}},
    }


def role(namespace: str, *rules: dict) -> list[dict]:
    """A service account `bot` with a role of these rules."""
    meta = {"name": "bot", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "bot"}
    subject = {"kind": "ServiceAccount", "name": "bot", "namespace": namespace}
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": rbac, "kind": "Role", "metadata": meta, "rules": list(rules)},
        {"apiVersion": rbac, "kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": [subject]},
    ]


@pytest.fixture
def core(kube):
    """A client for the core API, as administrator."""
    return client.CoreV1Api(kube.client)


def test_the_server_has_the_pinned_version(kube):
    version = json.loads(kube.kubectl("version", "--output=json"))

    assert version["serverVersion"]["gitVersion"] == PROGRAMS["kube-apiserver"].module.version
    assert version["clientVersion"]["gitVersion"] == PROGRAMS["kubectl"].module.version


def test_what_was_applied_is_listed(kube, namespace, core):
    kube.apply(configmap(namespace, sky="blue"))

    (found,) = [one for one in core.list_namespaced_config_map(namespace).items if one.metadata.name == "colours"]
    assert found.data == {"sky": "blue"}


def test_two_managers_of_one_field_conflict(kube, namespace):
    kube.apply(configmap(namespace, sky="blue"), manager="one")

    with pytest.raises(KubeError, match=r'conflict with "one": \.data\.sky'):
        kube.apply(configmap(namespace, sky="red"), manager="other")


def test_a_field_that_its_manager_applies_no_longer_is_removed(kube, namespace, core):
    kube.apply(configmap(namespace, sky="blue", sea="green"))

    kube.apply(configmap(namespace, sky="blue"))

    assert core.read_namespaced_config_map("colours", namespace).data == {"sky": "blue"}


def test_a_service_account_may_do_what_its_role_allows_and_nothing_else(kube, namespace):
    kube.apply(*role(namespace, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}))
    bot = client.CoreV1Api(kube.client_of(kube.account(namespace, "bot")))

    assert bot.list_namespaced_config_map(namespace).items
    with pytest.raises(ApiException, match=f"system:serviceaccount:{namespace}:bot.*cannot list resource.*secrets") as refused:
        bot.list_namespaced_secret(namespace)
    assert refused.value.status == 403


def test_nobody_reads_without_a_certificate_or_a_token(kube):
    trust = ssl.create_default_context(cafile=kube.client.configuration.ssl_ca_cert)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))

    with pytest.raises(urllib.request.HTTPError, match="403") as refused:
        opener.open(f"{kube.url}/api/v1/namespaces")
    refused.value.close()


def test_controllers_turn_a_deployment_into_a_replica_set_and_pods(kube, namespace, core, until):
    kube.apply(deployment(namespace, replicas=3))

    until(lambda: len(core.list_namespaced_pod(namespace, label_selector="app=bidder").items) == 3)
    (replicaset,) = client.AppsV1Api(kube.client).list_namespaced_replica_set(namespace).items
    assert replicaset.metadata.owner_references[0].name == "bidder"


def test_what_a_deleted_owner_leaves_is_collected(kube, namespace, core, until):
    kube.apply(deployment(namespace, replicas=1))
    until(lambda: core.list_namespaced_pod(namespace).items)

    kube.kubectl("delete", "deployment", "bidder", f"--namespace={namespace}", "--wait=false")

    until(lambda: not core.list_namespaced_pod(namespace).items)


def test_a_scheduler_says_why_a_pod_has_no_node(scheduler, namespace, core, until):
    nowhere = POD | {"nodeSelector": {"kubernetes.io/hostname": "nowhere"}}  # other tests of the run may have made a node
    core.create_namespaced_pod(namespace, {"metadata": {"name": "homeless"}, "spec": nowhere})

    def reasons() -> set[str | None]:
        return {one.reason for one in core.read_namespaced_pod("homeless", namespace).status.conditions or ()}

    until(lambda: "Unschedulable" in reasons())


@pytest.fixture
def counters(kube, until):
    """A definition whose rule is that a counter never goes back; the name of its API group."""
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    rule = {"rule": "self.count >= oldSelf.count", "message": "a counter never goes back"}
    root = {"type": "object", "properties": {"spec": schema | {"x-kubernetes-validations": [rule]}}}
    names = {"plural": "counters", "singular": "counter", "kind": "Counter"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "counters.bed.invalid"},
        "spec": {"group": "bed.invalid", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    kube.apply(definition)
    kube.kubectl("wait", "--for=condition=Established", "crd/counters.bed.invalid", "--timeout=30s")
    yield "bed.invalid/v1"
    kube.kubectl("delete", "crd", "counters.bed.invalid", "--wait=false")


def test_the_rules_of_a_definition_are_enforced(kube, namespace, counters):
    def counter(count: int) -> dict:
        return {"apiVersion": counters, "kind": "Counter", "metadata": {"name": "one", "namespace": namespace}, "spec": {"count": count}}

    kube.apply(counter(1))
    kube.apply(counter(2))

    with pytest.raises(KubeError, match="a counter never goes back"):
        kube.apply(counter(1))


def test_an_object_of_a_wrong_shape_is_refused(kube, namespace):
    broken = deployment(namespace, replicas=1)
    broken["spec"]["replicas"] = "three"

    with pytest.raises(KubeError, match=r"replicas"):
        kube.apply(broken)
