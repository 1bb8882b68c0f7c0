"""A test's corner of the cluster: small pods from our own images that the `restricted` pod security standard admits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError

LOCKED = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""What the standard asks of a container, and a read-only root on top."""


@dataclass(frozen=True)
class Corner:
    """A namespace, and what tests do in it. Times are seconds."""

    cluster: Cluster
    namespace: str

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, stdin=stdin)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        self.cluster.apply(*({**one, "metadata": {**one["metadata"], "namespace": self.namespace}} for one in manifests))

    def run(self, kind: str, name: str, container: Mapping[str, Any], *, volumes: Any = (), **spec: Any) -> None:
        """Apply a Deployment or StatefulSet of one container; return when all of its pods are ready."""
        pod = {
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "terminationGracePeriodSeconds": 1,
            "volumes": list(volumes),
            "containers": [{"name": "main", "securityContext": LOCKED, **container}],
        }
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": pod}
        whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
        self.apply({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": whole})
        self.kubectl("rollout", "status", f"{kind.lower()}/{name}", "--timeout=120s")

    def serve(self, name: str, port: int) -> None:
        """Put a Service in front of the pods of this name."""
        spec = {"selector": {"app": name}, "ports": [{"port": port}]}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})

    def pods(self, name: str) -> list[dict[str, Any]]:
        """Pods of this name that are not on their way out."""
        found = json.loads(self.kubectl("get", "pods", "-l", f"app={name}", "-o", "json"))["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod(self, name: str) -> str:
        """The name of the one pod of this name."""
        (only,) = self.pods(name)
        return str(only["metadata"]["name"])

    def ready(self, name: str) -> int:
        """How many pods of this name are ready."""
        conditions = [one for pod in self.pods(name) for one in pod["status"].get("conditions", [])]
        return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def do(self, pod: str, *command: str) -> str:
        """Run a command in a pod and return what it printed."""
        return self.kubectl("exec", pod, "--", *command)

    def works(self, pod: str, *command: str) -> bool:
        """Whether a command in a pod succeeds."""
        try:
            self.do(pod, *command)
        except KubeError:
            return False
        return True

    def eventually(self, holds: Callable[[], Any], seconds: float = 90.0) -> Any:
        """Wait until something is true, and return it."""
        deadline = time.monotonic() + seconds
        while not (result := holds()):
            assert time.monotonic() < deadline, f"did not come true within {seconds:.0f} s"
            time.sleep(0.1)
        return result


@pytest.fixture
def corner(node_cluster: Cluster, restricted: str) -> Corner:
    """A restricted namespace of the test's own."""
    return Corner(node_cluster, restricted)


@pytest.fixture
def idle(images) -> dict[str, Any]:
    """A container that does nothing until it is told."""
    return {"image": images["python"], "command": ["sleep", "infinity"]}


@pytest.fixture
def web(images) -> dict[str, Any]:
    """A container that serves its files over HTTP on port 8000, and says so once a second."""
    probe = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}
    return {"image": images["python"], "command": ["python3", "-m", "http.server", "8000", "--directory", "/etc"], "readinessProbe": probe}


@pytest.fixture
def state(node_cluster: Cluster) -> Callable[[str], str]:
    """Says whether a node is Ready: True, False or Unknown."""

    def ask(node: str) -> str:
        return node_cluster.kubectl("get", "node", node, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')

    return ask
