import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bidlock_chart.helm import Helm


@pytest.fixture(scope="session")
def helm(tmp_path_factory) -> Helm:
    """A helm that reaches no cluster."""
    from bidlock_kube import Assets

    return Helm(Assets.of("helm")["helm"], tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def rendered(helm) -> list[dict]:
    """The objects of the default values."""
    return helm.template()


@pytest.fixture(scope="session")
def lone_kube(request, tmp_path_factory):
    """A control plane of the chart's own: the definition is one for the whole cluster, and these tests change and delete it."""
    import os

    from bidlock_kube import clusters

    run = f"chart-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with clusters.shared("api", run, tmp_path_factory.mktemp("lone-kube"), say=print) as cluster:
        yield cluster


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """Helm comes with the test cluster's programs: what asks for it is left out of `make check`, as what asks for a cluster is."""
    for item in items:
        if {"helm", "lone_kube"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("kube")
