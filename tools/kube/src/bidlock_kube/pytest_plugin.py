"""The test cluster's door into pytest: fixtures, and where the logs are when a test fails.

It imports nothing until a test asks for a cluster. Which one is said by the variable `BIDLOCK_KUBE`: `api` (the default)
starts an API server here, shared by all workers of a run; `node` starts nodes, too; `external` uses the one that KUBECONFIG names.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bidlock_kube.audit import Audit
    from bidlock_kube.cluster import Cluster

CHOICE = "BIDLOCK_KUBE"
_LOGS = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a cluster."""
    for item in items:
        if "kube" in getattr(item, "fixturenames", ()):
            item.add_marker("kube")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where the logs are when a test that used the cluster fails."""
    report = yield
    if report.failed and (logs := item.config.stash.get(_LOGS, None)) and "kube" in getattr(item, "fixturenames", ()):
        report.sections.append(("Kubernetes", f"logs and audit log: {logs}"))
    return report


def _teller(config: pytest.Config) -> Callable[[str], None]:
    """Tells a human at once, although pytest captures what tests write."""
    from bidlock_kube import assets

    capture = config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(file=sys.stderr)  # leave the line of dots
            assets.say(line)

    return say


@pytest.fixture(scope="session")
def kube(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running Kubernetes, a `bidlock_kube.cluster.Cluster`; shared, so leave it as it was, or take a namespace."""
    from bidlock_kube.errors import KubeError

    with contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(_chosen(request.config, tmp_path_factory))
        except KubeError as error:
            # It says what to do; where it was raised helps nobody.
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield cluster


def _chosen(config: pytest.Config, folders: pytest.TempPathFactory) -> contextlib.AbstractContextManager[Cluster]:
    from bidlock_kube import clusters

    choice = os.environ.get(CHOICE) or "api"
    if choice == "external":
        return contextlib.nullcontext(clusters.external(folders.mktemp("kube")))
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"pytest-{os.getpid()}"
    base = folders.getbasetemp()
    logs = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kube"
    config.stash[_LOGS] = str(logs)
    return clusters.shared(choice, run, logs, say=_teller(config))


@pytest.fixture(scope="session")
def scheduler(request: pytest.FixtureRequest, kube: Cluster) -> Cluster:
    """`kube` with a scheduler, for tests that look at what it says of a pod; without nodes it has nowhere to put one."""
    from bidlock_kube import clusters

    return clusters.with_scheduler(kube, say=_teller(request.config))


@pytest.fixture
def namespace(kube: Cluster) -> Iterator[str]:
    """A namespace of the test's own; deleted afterwards."""
    from bidlock_kube import namespaces

    with namespaces.isolated(kube) as name:
        yield name


@pytest.fixture
def audit(kube: Cluster, namespace: str) -> Audit:
    """What is asked of the API server about the test's namespace from now on."""
    from bidlock_kube.audit import Audit

    return Audit.now(kube, namespace)
