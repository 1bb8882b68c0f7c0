"""A wrong value is refused with the value's name and what is allowed; a risky one is answered by a warning."""

from dataclasses import replace

import pytest
from bidlock_chart.helm import CHART, HelmError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"scope": "cluster"}, ["/scope", "'Cluster', 'Namespaces'"]),
        ({"replicas": 0}, ["/replicas", "minimum: got 0, want 1"]),
        ({"replicas": "two"}, ["/replicas", "got string, want integer"]),
        ({"replicaCount": 2}, ["'replicaCount' not allowed", "'replicas'"]),
        ({"image": {"name": "x"}}, ["/image", "'name' not allowed", "'repository', 'tag', 'digest'"]),
        ({"image": {"digest": "sha1:0"}}, ["/image/digest", "sha256:[0-9a-f]{64}"]),
        ({"log": {"level": "loud"}}, ["/log/level", "'debug', 'info', 'warning', 'error'"]),
        ({"serviceMonitor": {"interval": "30"}}, ["/serviceMonitor/interval", "ms|s|m|h"]),
        ({"commonLabels": {"a": 1}}, ["/commonLabels/a", "want string"]),
        ({"policies": [{"name": "a"}]}, ["/policies/0", "missing property 'spec'"]),
        ({"watchNamespaces": ["a"]}, ["scope is Cluster", "set scope=Namespaces"]),
        ({"serviceAccount": {"create": False}}, ["serviceAccount.name"]),
        (
            {"scope": "Namespaces", "policies": [{"name": "a", "namespace": "b", "spec": {}}]},
            ["policies[0]", "namespace b", "watchNamespaces"],
        ),
        ({"policies": [{"name": "a", "spec": {}}, {"name": "a", "spec": {}}]}, ["policies[1]", "locks/a is listed twice"]),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(helm, values, said):
    with pytest.raises(HelmError) as refused:
        helm.template(values)

    assert not [words for words in said if words not in str(refused.value)], refused.value


RISKY = {
    "replicas is 1": {"replicas": 1},
    "crds.keep is false": {"crds": {"keep": False}},
    "crds.enabled is false": {"crds": {"enabled": False}},
    "uninstallHook.enabled is false": {"uninstallHook": {"enabled": False}},
    "rbac.create is false": {"rbac": {"create": False}},
    "agent.image.tag is latest": {"agent": {"image": {"tag": "latest"}}},
    "knows no kind ServiceMonitor": {"serviceMonitor": {"enabled": True}},
    "knows no kind PrometheusRule": {"prometheusRule": {"enabled": True}},
}


@pytest.fixture(scope="module")
def notes(helm, lone_kube):
    """What helm tells after an installation with some values; it asks the cluster which kinds there are."""
    return replace(helm, kubeconfig=lone_kube.kubeconfig).notes


@pytest.mark.parametrize(("warning", "values"), RISKY.items())
def test_a_risky_value_is_answered_by_one_warning(notes, warning, values):
    warnings = [line for line in notes(values).splitlines() if line.startswith("WARNING: ")]

    assert len(warnings) == 1
    assert warning in warnings[0]


def test_the_defaults_are_not_risky(notes):
    assert "WARNING" not in notes()


def test_the_notes_show_commands_for_the_policies_of_the_values(notes):
    said = notes({"policies": [{"name": "arbitrage", "namespace": "bots", "spec": {"phase": "SQLite"}}]})

    assert "kubectl -n bots get blp arbitrage -w" in said
    assert "apply -f -" not in said


def test_the_chart_has_no_finding(helm):
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART)
