"""Fixtures for tests that need nodes: the cluster, its images, and tools to hurt it.

`make e2e` chooses the cluster: nodes on this machine, or with KUBECONFIG and IMAGE_REGISTRY the one that they name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bidlock_kube.cluster import Cluster
    from bidlock_kube.nodetier.faults import Faults
    from bidlock_kube.nodetier.stores import Images


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for nodes."""
    for item in items:
        if "node_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("node")


@pytest.fixture(scope="session")
def node_cluster(kube: Cluster) -> Cluster:
    """A cluster whose pods run, a `bidlock_kube.cluster.Cluster`."""
    from bidlock_kube.errors import KubeError

    if kube.tier == "api":
        raise KubeError("this test needs nodes: run `make e2e`, or set BIDLOCK_KUBE=node")
    return kube


@pytest.fixture(scope="session")
def images(node_cluster: Cluster) -> Images:
    """Names of images by role (`bidlock-kube images` lists the roles); the first use builds and brings one."""
    from bidlock_kube.assets import say
    from bidlock_kube.nodetier.stores import Images

    return Images(node_cluster, say)


@pytest.fixture(scope="session")
def helm(node_cluster: Cluster) -> Callable[..., str]:
    """Runs helm as administrator and returns what it prints; `helm("install", "name", "charts/bidlock", "--wait")`."""
    from bidlock_kube.assets import Assets
    from bidlock_kube.nodetier import commands

    binary = Assets.of("helm")["helm"]

    def run(*words: str) -> str:
        return commands.run(binary, f"--kubeconfig={node_cluster.kubeconfig}", *words)

    return run


@pytest.fixture
def restricted(node_cluster: Cluster, namespace: str) -> str:
    """A namespace of the test's own that admits only pods of the `restricted` pod security standard."""
    node_cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    return namespace


@pytest.fixture
def any_faults(node_cluster: Cluster) -> Iterator[Faults]:
    """Tools to hurt a cluster wherever it is: `drain` works everywhere. Undone when the test ends."""
    from bidlock_kube.nodetier.faults import Faults

    tools = Faults(node_cluster)
    try:
        yield tools
    finally:
        tools.undo()


@pytest.fixture
def faults(any_faults: Faults) -> Faults:
    """Tools to hurt pods and nodes; a test that asks for them is skipped where the nodes are out of this machine's reach."""
    if any_faults.unavailable:
        pytest.skip(any_faults.unavailable)
    return any_faults
