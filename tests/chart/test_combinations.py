"""Whatever is set, what is rendered is accepted by a real API server, and every pod satisfies the standard `restricted`."""

import json

import pytest
from bidlock_chart.pairwise import combinations

POLICY = {
    "phase": "SQLite",
    "sqlite": {"claimName": "bids"},
    "bidder": {"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1"}]}}},
}
DIGEST = f"sha256:{'0' * 64}"

OPTIONS = {
    "scope": [{}, {"scope": "Namespaces"}, {"scope": "Namespaces", "watchNamespaces": ["default", "locks"]}],
    "crds": [{}, {"crds": {"keep": False}}, {"crds": {"enabled": False}}],
    "names": [{}, {"nameOverride": "guard"}, {"fullnameOverride": "guard"}, {"namespaceOverride": "locks"}],
    "image": [{}, {"image": {"digest": DIGEST, "registry": "registry.example:5000"}}, {"global": {"imageRegistry": "mirror.example/all"}}],
    "secrets": [{}, {"global": {"imagePullSecrets": [{"name": "pull"}]}}],
    "replicas": [{}, {"replicas": 1}],
    "account": [{}, {"serviceAccount": {"create": False, "name": "mine"}}, {"serviceAccount": {"annotations": {"role": "one"}}}],
    "rights": [{}, {"rbac": {"create": False}}, {"rbac": {"aggregate": False}}],
    "labels": [{}, {"commonLabels": {"team": "bots"}}],
    "pods": [{}, {"podLabels": {"a": "1"}, "podAnnotations": {"b": "true"}, "extraEnv": [{"name": "HTTPS_PROXY", "value": "x"}]}],
    "placing": [
        {},
        {"priorityClassName": "system-cluster-critical", "nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}]},
    ],
    "spread": [{}, {"topologySpread": {"enabled": False}, "affinity": {"podAntiAffinity": {}}}],
    "network": [
        {},
        {"networkPolicy": {"enabled": False}},
        {"networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "extraEgress": [{}]}},
    ],
    "budget": [{}, {"podDisruptionBudget": {"enabled": False}}],
    "monitoring": [{}, {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}],
    "policies": [
        {},
        {"policies": [{"name": "one", "spec": POLICY}, {"name": "two", "labels": {"a": "b"}, "spec": POLICY | {"replicas": 2}}]},
    ],
    "hook": [{}, {"uninstallHook": {"enabled": False}}],
    "extra": [
        {},
        {
            "extraObjects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}},
                "kind: Secret\napiVersion: v1\nmetadata: {name: text}",
            ]
        },
    ],
}


def merged(row):
    """Choices may set different keys of one group."""
    values = {}
    for choice in row.values():
        for key, value in choice.items():
            values[key] = values.get(key, {}) | value if isinstance(value, dict) else value
    return values


ROWS = [merged(row) for row in combinations(OPTIONS)]


@pytest.fixture(scope="module")
def cluster(lone_kube, rendered):
    """With the definitions of the chart and of the Prometheus operator, and a namespace that admits only restricted pods."""
    lone_kube.kubectl("create", "namespace", "locks")
    lone_kube.kubectl("label", "namespace", "locks", "pod-security.kubernetes.io/enforce=restricted")
    definitions = [definition("monitoring.coreos.com", kind) for kind in ("ServiceMonitor", "PrometheusRule")]
    definitions += [one for one in rendered if one["kind"] == "CustomResourceDefinition"]
    lone_kube.apply(*definitions)
    for one in definitions:
        plural, name = one["spec"]["names"]["plural"], one["metadata"]["name"]
        lone_kube.kubectl("wait", f"--for=jsonpath={{.status.acceptedNames.plural}}={plural}", f"crd/{name}", "--timeout=30s")
        lone_kube.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    yield lone_kube
    lone_kube.kubectl("delete", "namespace", "locks", "--wait=false")
    lone_kube.kubectl("delete", "crd", *(one["metadata"]["name"] for one in definitions))


def definition(group, kind):
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def pods_of(objects):
    """Every pod that the objects would make, as a pod of its own."""
    for one in objects:
        if one["kind"] in {"Deployment", "Job"}:
            # Its account is not there; it is not what is judged.
            spec = {key: value for key, value in one["spec"]["template"]["spec"].items() if key != "serviceAccountName"}
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": one["metadata"]["name"], "namespace": "locks"}, "spec": spec}


def policies_of(objects):
    for one in objects:
        if one["kind"] == "ConfigMap" and "policies.jsonl" in one.get("data", {}):
            yield from map(json.loads, one["data"]["policies.jsonl"].splitlines())


@pytest.mark.parametrize("values", ROWS, ids=range(len(ROWS)))
def test_what_is_rendered_is_accepted_and_its_pods_are_restricted(helm, cluster, values):
    objects = helm.template(values, known=["monitoring.coreos.com/v1"])
    pods, policies = list(pods_of(objects)), list(policies_of(objects))

    tried = cluster.kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
        stdin="\n".join(map(json.dumps, [*objects, *pods, *policies])),
    )

    assert len(tried.splitlines()) == len(objects) + len(pods) + len(policies)
    assert len(pods) >= 2
    assert len(policies) == len(values.get("policies", ()))


def test_a_pod_that_is_not_restricted_would_be_refused(cluster):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}, "spec": {"containers": [{"name": "a", "image": "a"}]}}

    with pytest.raises(Exception, match="violates PodSecurity"):
        cluster.kubectl("apply", "--namespace=locks", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))


def test_the_defaults_can_be_piped_into_kubectl(helm, cluster):
    from bidlock_chart.helm import CHART

    text = helm("template", "bidlock", CHART, "--namespace", "locks")

    assert "error" not in cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text).lower()
