"""The example policies, as a user applies them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from bidlock_operator import policies as typed
from bidlock_operator.manifests import acl, agent, bidders, redis
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.policies import Phase, RedisMode, Topology

FOLDER = Path(__file__).parents[3] / "examples/kubernetes/policies"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def read(path):
    body = yaml.safe_load(path.read_text())
    return typed.read(body | {"metadata": body["metadata"] | {"namespace": "bids", "uid": "u"}})


@pytest.fixture
def restricted(defined, namespace):
    defined.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    return namespace


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_accepted_as_it_is_written(defined, namespace, path):
    defined.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_pods_of_an_example_are_admitted_where_only_restricted_ones_are(defined, restricted, path):
    policy, platform = read(path), Platform()
    made = [*agent.children(policy, platform), *bidders.children(policy, "dual", platform, replicas=1)]
    made += redis.children(policy, platform, acl.Passwords.generate()) if policy.redis.managed else []

    defined.kubectl("create", "--dry-run=server", "-f", "-", stdin="\n".join(json.dumps(pod) for pod in pods(made, restricted)))


def pods(made, namespace):
    for child in made:
        template = child.get("spec", {}).get("template")
        if template:
            claims = [{"name": one["metadata"]["name"], "emptyDir": {}} for one in child["spec"].get("volumeClaimTemplates", [])]
            metadata = {"name": child["metadata"]["name"], "namespace": namespace, "labels": template["metadata"]["labels"]}
            spec = template["spec"] | {"volumes": template["spec"]["volumes"] + claims}
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_there_is_an_example_of_every_phase_topology_and_mode_of_redis():
    found = [read(path) for path in EXAMPLES]

    assert {policy.phase for policy in found} == set(Phase)
    assert {policy.sqlite.topology for policy in found} == set(Topology)
    assert {policy.redis.mode for policy in found} == {RedisMode.STANDALONE, RedisMode.EXTERNAL}


def test_every_example_is_in_the_folders_readme():
    named = re.findall(r"\]\(([a-z-]+\.yaml)\)", (FOLDER / "README.md").read_text())

    assert sorted(named) == [path.name for path in EXAMPLES]
