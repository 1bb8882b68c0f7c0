"""What a real API server says to the manifests."""

from __future__ import annotations

import itertools
import json

import pytest

from bidlock.modes import MODES
from bidlock_operator.manifests import acl, agent, bidders, redis
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.resources import POLICY

SECURE = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
QUIET = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
TEMPLATE = {
    "spec": {
        "securityContext": SECURE,
        "initContainers": [{"name": "wait", "image": "wait:1", "securityContext": QUIET}],
        "containers": [{"name": "bidder", "image": "bot:1", "securityContext": QUIET}],
    }
}

POLICIES = {
    "a volume of the user's": {"sqlite": {"claimName": "bids"}},
    "volumes of the operator's": {
        "sqlite": {"storage": {"size": "1Gi", "storageClassName": "fast"}, "path": "a/b.db"},
        "redis": {"storage": {"size": "2Gi", "accessMode": "ReadWriteOncePod"}, "imagePullSecrets": [{"name": "pull"}]},
    },
    "a file per pod": {"sqlite": {"topology": "PerPod", "storage": {"size": "1Gi"}}},
    "a file per pod, without storage": {"sqlite": {"topology": "PerPod"}},
    "TLS, passwords and directives of the user's": {
        "redis": {"tls": {"secretName": "tls"}, "auth": {"secretName": "mine"}, "config": {"hz": "50"}, "durability": "None"}
    },
    "canaries, and places for Redis": {
        "rollout": {"canaryReplicas": 2, "maxSurge": 1, "maxUnavailable": 0},
        "redis": {
            "scheduling": {
                "nodeSelector": {"disk": "nvme"},
                "tolerations": [{"key": "redis", "operator": "Exists"}],
                "affinity": {"nodeAffinity": {}},
            },
            "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi", "cpu": "1500m"}},
        },
    },
    "a server of the user's": {"redis": {"mode": "External", "external": {"urlSecretRef": {"name": "url", "key": "url"}}}},
    "data that goes with the policy": {"deletionPolicy": "Delete"},
}


@pytest.fixture
def children(policy, passwords):
    def of(namespace, mode="dual", **spec):
        asked = policy(template=TEMPLATE, **spec)
        platform = Platform(operator_namespace="bidlock-system", image_pull_policy="IfNotPresent")
        made = [
            *([*redis.children(asked, platform, passwords)] if asked.redis.managed else []),
            redis.passwords_secret(asked, acl.Passwords.generate()),
            *agent.children(asked, platform),
            agent.token_secret(asked, agent.generate_token()),
            *bidders.children(asked, mode, platform, replicas=1, canaries=1, canary_mode="strict", revision="r"),
        ]
        return [child | {"metadata": child["metadata"] | {"namespace": namespace}} for child in made]

    return of


@pytest.fixture
def owned(defined, namespace, children):
    """Children of a policy that exists: the garbage collector deletes those whose owner does not."""
    defined.apply(
        {
            "apiVersion": POLICY.api_version,
            "kind": POLICY.kind,
            "metadata": {"namespace": namespace, "name": "arbitrage"},
            "spec": {"phase": "DualSupport", "bidder": {"template": TEMPLATE}},
        }
    )
    uid = defined.kubectl("get", "bidlockpolicy", "arbitrage", "-n", namespace, "-o", "jsonpath={.metadata.uid}")

    def of(**spec):
        return [adopted(child, uid) for child in children(namespace, **spec)]

    return of


def adopted(child, uid):
    owners = [owner | {"uid": uid} for owner in child["metadata"].get("ownerReferences", ())]
    return child | {"metadata": child["metadata"] | {"ownerReferences": owners}}


@pytest.fixture
def restricted(kube, namespace):
    """A namespace in which only pods of the Pod Security Standard `restricted` run."""
    kube.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    return namespace


def stream(manifests):
    return "\n".join(json.dumps(one) for one in manifests)


def pods(manifests):
    """The pods that workloads would make."""
    for child in manifests:
        template = child["spec"].get("template") if "spec" in child else None
        if template:
            claims = [{"name": one["metadata"]["name"], "emptyDir": {}} for one in child["spec"].get("volumeClaimTemplates", [])]
            spec = template["spec"] | {"volumes": template["spec"]["volumes"] + claims}
            metadata = template["metadata"] | {"name": child["metadata"]["name"], "namespace": child["metadata"]["namespace"]}
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("spec", POLICIES.values(), ids=POLICIES)
def test_every_child_is_accepted_without_an_unknown_field(kube, namespace, children, spec):
    made = list(itertools.chain.from_iterable(children(namespace, mode, **spec)[-3:] for mode in MODES)) + children(namespace, **spec)

    kube.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=stream(made))


@pytest.mark.parametrize("spec", POLICIES.values(), ids=POLICIES)
def test_every_pod_is_admitted_where_only_restricted_pods_are(kube, restricted, children, spec):
    kube.kubectl("create", "--dry-run=server", "-f", "-", stdin=stream(pods(children(restricted, **spec))))


@pytest.mark.parametrize("spec", POLICIES.values(), ids=POLICIES)
def test_children_that_are_applied_again_are_not_written_again(kube, namespace, owned, spec):
    """No field is one that the server rewrites, else two appliers of the same would write for ever."""
    made = owned(**spec)
    kube.apply(*made, manager="bidlock-operator")
    first = generations(kube, namespace)
    kube.apply(*made, manager="bidlock-operator")

    assert generations(kube, namespace) == first


def generations(kube, namespace):
    kinds = "configmaps,secrets,services,networkpolicies,persistentvolumeclaims,deployments,statefulsets,poddisruptionbudgets"
    found = json.loads(kube.kubectl("get", kinds, "-n", namespace, "-l", "bidlock.io/policy", "-o", "json"))["items"]
    return {(one["kind"], one["metadata"]["name"]): version(one) for one in found}


def version(one):
    """Its generation; where it has none, nobody but us writes it, and its version is what counts."""
    metadata = one["metadata"]
    return metadata.get("generation") or (
        metadata["resourceVersion"] if one["kind"] in {"ConfigMap", "Secret", "Service"} else one.get("spec")
    )


@pytest.fixture
def growing(kube, namespace):
    """A class of volumes that may grow, and a volume of it, as a storage driver would make it: only a bound claim may grow."""
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": namespace}}
    volume = {
        "storageClassName": namespace,
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": namespace, "name": "arbitrage-redis-data"},
    }
    kube.apply(
        kind | {"provisioner": "none", "allowVolumeExpansion": True},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": namespace}, "spec": volume},
    )
    yield namespace
    kube.kubectl("delete", "pv,storageclass", namespace, "--wait=false")


def test_a_volume_grows_when_the_policy_asks_for_more(kube, growing, owned):
    for size in ("1Gi", "2Gi"):
        made = owned(redis={"storage": {"size": size, "storageClassName": growing}})
        kube.apply(next(one for one in made if one["kind"] == "PersistentVolumeClaim"), manager="bidlock-operator")
        kube.kubectl("wait", "-n", growing, "--for=jsonpath={.status.phase}=Bound", "pvc/arbitrage-redis-data", "--timeout=30s")

    assert kube.kubectl("get", "pvc", "-n", growing, "arbitrage-redis-data", "-o", "jsonpath={.spec.resources.requests.storage}") == "2Gi"
