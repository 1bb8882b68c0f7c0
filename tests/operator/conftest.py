"""What tests of the operator share: the definition, a cluster that knows it, a node in it, an operator in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

DEFINITION = Path(__file__).parents[2] / "charts/bidlock/files/bidlockpolicies.yaml"


@pytest.fixture(scope="session")
def definition():
    """The CustomResourceDefinition, as the chart installs it."""
    return yaml.load(DEFINITION.read_text(), yaml.CSafeLoader)


@pytest.fixture(scope="session")
def schema(definition):
    """Its properties: `spec` and `status`."""
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


@pytest.fixture(scope="session")
def defined(kube, definition):
    """A cluster that knows BidLockPolicy."""
    kube.apply(definition)
    kube.kubectl("wait", "--for=create", "crd/bidlockpolicies.bidlock.io", "--timeout=30s")
    kube.kubectl("wait", "--for=jsonpath={.status.acceptedNames.plural}=bidlockpolicies", "crd/bidlockpolicies.bidlock.io", "--timeout=30s")
    kube.kubectl("wait", "--for=condition=Established", "crd/bidlockpolicies.bidlock.io", "--timeout=30s")
    return kube


@pytest.fixture
async def transport(defined, monkeypatch):
    """An administrator's way to the API server; the operator under test uses the same credentials."""
    from bidlock_operator.kube.connecting import connected

    monkeypatch.setenv("KUBECONFIG", str(defined.kubeconfig))
    # kopf logs in with the synchronous client, which read the variable when it was imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(defined.kubeconfig))
    async with connected(10.0) as made:
        yield made


@pytest.fixture
async def node(transport, tmp_path):
    """A simulated node: what the controllers make of this process's policies is started."""
    from simulation.kubelet import kubelet
    from simulation.world import NAMESPACES

    async with kubelet(transport, tmp_path / "node") as running:
        running.owns = NAMESPACES.__contains__
        yield running


@pytest.fixture
async def operated(transport, node, namespace):
    """An operator for the test's namespace."""
    from simulation.world import operator

    async with operator(namespace) as memo:
        yield memo


@pytest.fixture
async def between(transport, tmp_path):
    """A proxy before the API server, and an environment in which an operator goes through it."""
    from simulation.proxy import proxy
    from simulation.world import variables

    async with proxy() as made:
        with variables(KUBECONFIG=str(made.kubeconfig(tmp_path / "proxied.kubeconfig"))):
            yield made
