"""The manifests of `examples/kubernetes` are accepted as they stand, where only restricted pods run."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "examples" / "kubernetes").glob("*.yaml"))


@pytest.fixture(scope="module")
def defined(kube):
    """A cluster that knows BidLockPolicy."""
    kube.apply(yaml.safe_load((ROOT / "charts/bidlock/files/bidlockpolicies.yaml").read_text()))
    for what in ("create", "jsonpath={.status.acceptedNames.plural}=bidlockpolicies", "condition=Established"):
        kube.kubectl("wait", f"--for={what}", "crd/bidlockpolicies.bidlock.io", "--timeout=30s")
    return kube


@pytest.fixture
def restricted(defined, namespace):
    defined.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    return namespace


def template_of(document):
    spec = document.get("spec", {})
    return spec["bidder"]["template"] if document["kind"] == "BidLockPolicy" else spec.get("template")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_manifest_is_accepted_and_its_pods_are_restricted(defined, restricted, file):
    documents = list(yaml.safe_load_all(file.read_text()))
    templates = [template for document in documents if (template := template_of(document))]
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": template["spec"]} for template in templates]

    for every in (documents, pods):
        defined.kubectl("apply", "-n", restricted, "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump_all(every))

    assert templates


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_manifest_begins_by_saying_what_it_is_for(file):
    assert file.read_text().startswith("# ")
