"""Start a control plane's processes, in order, and know when it is ready."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from bidlock_kube import components
from bidlock_kube.assets import Assets
from bidlock_kube.components import Layout
from bidlock_kube.errors import KubeError
from bidlock_kube.runs import Run

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
"""What a control plane needs, a client included."""

READY_SECONDS = 120.0
"""How long a control plane may take to be ready; about 4 on an idle machine, 30 on a very busy one."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A control plane's processes.

    Attributes:
        nodes: Whether nodes will join it.
    """

    run: Run
    at: Layout
    assets: Assets
    nodes: bool = False

    def start(self) -> None:
        """Start it and return when it is ready: the API server answers, and controllers work.

        Raises:
            KubeError: a process died, or it took too long.
        """
        self.start_etcd()
        self.start_apiserver()
        self.start_controllers()
        self._await("/api/v1/namespaces/default/serviceaccounts/default", "kube-controller-manager")

    def start_etcd(self) -> None:
        """Start etcd; who needs it waits for it."""
        self.run.start("etcd", components.etcd(self.assets, self.at))

    def start_apiserver(self) -> None:
        """Start the API server and return when it is ready."""
        self.run.start("kube-apiserver", components.kube_apiserver(self.assets, self.at, nodes=self.nodes))
        self._await("/readyz", "etcd", "kube-apiserver")

    def start_controllers(self) -> None:
        """Start the controllers."""
        self.run.start("kube-controller-manager", components.kube_controller_manager(self.assets, self.at))

    def start_scheduler(self) -> None:
        """Start the scheduler; it has nothing to wait for."""
        self.run.start("kube-scheduler", components.kube_scheduler(self.assets, self.at.folder))

    def _await(self, path: str, *processes: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers(path):
            self.run.require(*processes)
            if time.monotonic() > deadline:
                raise KubeError(f"{processes[-1]} is not ready after {READY_SECONDS:.0f} s; see {self.run.logs}")
            time.sleep(0.05)

    def _answers(self, path: str) -> bool:
        trust = ssl.create_default_context(cafile=str(self.at.pki / "ca.crt"))
        trust.load_cert_chain(self.at.pki / "admin.crt", self.at.pki / "admin.key")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
        try:
            with opener.open(self.at.url + path, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False
