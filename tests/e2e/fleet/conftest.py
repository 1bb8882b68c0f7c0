import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bidlock_hour.site import Site


@pytest.fixture
def site(node_cluster, images, restricted):
    """A cluster with a namespace for the operator and one for the fleet, in which only restricted pods run; tidied afterwards."""
    from bidlock_kube import Assets

    system = f"system-{uuid.uuid4().hex[:6]}"
    site = Site(node_cluster, Assets.of("helm")["helm"], images, system, restricted)
    yield site
    if "bidlock" in site.helm("list", "--all", "--short", "--namespace", system):
        site.helm("uninstall", "bidlock", "--namespace", system, "--timeout", "120s")
    node_cluster.kubectl("delete", "namespace", system, "--ignore-not-found", "--wait=false")
    if "bidlockpolicies.bidlock.io" in node_cluster.kubectl("get", "crds", "-o", "name"):
        site.kubectl("delete", "blp", "--all", "--timeout=60s")
        node_cluster.kubectl("delete", "crd", "bidlockpolicies.bidlock.io", "--timeout=60s")
