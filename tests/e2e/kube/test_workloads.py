"""What users expect of Kubernetes is there, for real: the ground that the operator's tests stand on."""

from __future__ import annotations

import pytest

from bidlock_kube.errors import KubeError


def test_a_deployment_rolls_to_new_pods_and_no_old_one_stays(corner, idle):
    corner.run("Deployment", "rolling", {**idle, "env": [{"name": "EDITION", "value": "1"}]}, replicas=2)
    before = {pod["metadata"]["name"] for pod in corner.pods("rolling")}

    corner.run("Deployment", "rolling", {**idle, "env": [{"name": "EDITION", "value": "2"}]}, replicas=2)

    after = {pod["metadata"]["name"] for pod in corner.pods("rolling")}
    assert len(after) == 2
    assert not after & before
    assert {corner.do(name, "sh", "-c", "echo $EDITION") for name in after} == {"2\n"}


def test_a_statefulset_finds_its_volume_again(corner, idle):
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    container = {**idle, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    corner.run("StatefulSet", "keeping", container, serviceName="keeping", volumeClaimTemplates=[claim])
    corner.do("keeping-0", "sh", "-c", "echo kept >/data/word")

    corner.kubectl("delete", "pod", "keeping-0")
    corner.kubectl("rollout", "status", "statefulset/keeping", "--timeout=60s")

    assert corner.do("keeping-0", "cat", "/data/word") == "kept\n"


def test_a_service_is_found_by_its_name(corner, web, idle):
    corner.run("Deployment", "web", web)
    corner.serve("web", 8000)
    corner.run("Deployment", "asking", idle)

    assert "root:" in corner.do(corner.pod("asking"), "timeout", "20", "wget", "-q", "-O", "-", "http://web:8000/passwd")


def test_an_unknown_name_is_not_found(corner, idle):
    corner.run("Deployment", "asking", idle)

    assert not corner.works(corner.pod("asking"), "nslookup", "nobody.default.svc.cluster.local")


def test_pods_on_all_nodes_reach_each_other(corner, web, idle):
    corner.run("Deployment", "web", web, replicas=2)
    corner.run("Deployment", "asking", idle)

    reached = [
        corner.works(corner.pod("asking"), "timeout", "20", "wget", "-q", "-O", "/dev/null", f"http://{pod['status']['podIP']}:8000/")
        for pod in corner.pods("web")
    ]
    assert reached == [True, True]


def test_the_restricted_standard_refuses_a_pod_that_may_be_root(corner, images):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "main", "image": images["python"]}]},
    }

    with pytest.raises(KubeError, match='violates PodSecurity "restricted'):
        corner.apply(pod)


def test_a_container_that_takes_more_memory_than_its_limit_is_ended_for_it(corner, idle):
    greedy = {**idle, "command": ["python3", "-c", "bytearray(256 << 20)"], "resources": {"limits": {"memory": "64Mi"}}}
    spec = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "restartPolicy": "Never",
    }
    locked = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {**spec, "containers": [{"name": "main", "securityContext": locked, **greedy}]},
    }
    corner.apply(pod)

    reason = ("get", "pod", "greedy", "-o", "jsonpath={.status.containerStatuses[0].state.terminated.reason}")
    assert corner.eventually(lambda: corner.kubectl(*reason)) == "OOMKilled"
