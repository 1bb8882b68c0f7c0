"""Start a cluster of nodes: control plane on the node network, nodes, DNS and volumes; ready when all of it is."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from bidlock_kube import controlplane, credentials, ports
from bidlock_kube.assets import Assets
from bidlock_kube.cluster import Cluster
from bidlock_kube.components import Layout
from bidlock_kube.controlplane import ControlPlane
from bidlock_kube.errors import KubeError
from bidlock_kube.images import catalogue, making
from bidlock_kube.locking import Say
from bidlock_kube.nodetier import addons, addresses, network, preflight, stocking
from bidlock_kube.nodetier import nodes as machines
from bidlock_kube.nodetier.nodes import Node
from bidlock_kube.runs import Run

PROGRAMS = (*controlplane.PROGRAMS, "kube-scheduler", *machines.PROGRAMS, "coredns", "local-path-provisioner")

NEEDED_BYTES = 2 * 2**30
"""Free space that a node takes at most, with images and what a run of many tests writes."""

READY_SECONDS = 90.0
"""How long nodes and DNS may take to be ready; about 5 on an idle machine."""


NODES_VARIABLE = "BIDLOCK_KUBE_NODES"
"""How many nodes a cluster of tests has; one by default."""


def start(run: Run, *, nodes: int | None = None, port: int = 0, say: Say) -> Cluster:
    """Start a node tier in a folder of its own, and return when nodes and DNS are ready.

    Raises:
        KubeError: this machine cannot have nodes, or something did not start.
    """
    nodes = nodes or int(os.environ.get(NODES_VARIABLE) or 1)
    if not 1 <= nodes <= addresses.MOST_NODES:
        raise KubeError(f"a test cluster has 1 to {addresses.MOST_NODES} nodes, not {nodes}")
    preflight.check()
    assets = Assets.of(*PROGRAMS, say=say)
    images = making.make(catalogue.NODE, say=say)
    run.check_space(NEEDED_BYTES * nodes)
    run.logs.mkdir(parents=True, exist_ok=True)
    with network.turn(say):
        network.take(run, say)
    with ports.reserved(addresses.HOST, port) as chosen:
        at = Layout(run.folder, run.logs / "audit.jsonl", chosen, addresses.HOST)
        return _Starting(run, at, assets, images, nodes, say).start()


class _Starting:
    """Everything that is known while a cluster starts."""

    def __init__(self, run: Run, at: Layout, assets: Assets, images: Mapping[str, str], count: int, say: Say) -> None:
        self.run, self.at, self.assets, self.images, self.say = run, at, assets, images, say
        self.nodes = [Node(run, number) for number in range(1, count + 1)]
        self.began = time.monotonic()

    def start(self) -> Cluster:
        """Start it all: the nodes' own part needs no API server, so both are started at once."""
        authority = credentials.prepare(self.at)
        machines.prepare_machine(self.run)
        for node in self.nodes:
            node.prepare(self.at, authority, self.images["pause"])
        plane = ControlPlane(self.run, self.at, self.assets, nodes=True)
        with ThreadPoolExecutor() as pool:
            started = [pool.submit(self._power_on, node) for node in self.nodes]
            plane.start()
            plane.start_scheduler()
            self._mark("control plane ready")
            cluster = self._cluster()
            cluster.apply(*addons.manifests(self.images["coredns"]))
            for one in started:
                one.result()
        for node in self.nodes:
            node.join(self.assets)
        self._start_provisioner()
        self._await_ready(cluster)
        return cluster

    def _power_on(self, node: Node) -> None:
        node.power_on()
        stocking.stock(node, self.images.values())
        self._mark(f"{node.name} has its images")

    def _cluster(self) -> Cluster:
        return Cluster(
            "node", self.at.kubeconfig("admin"), self.at.url, self.assets["kubectl"], self.run.folder, self.run.logs, self.at.audit
        )

    def _start_provisioner(self) -> None:
        """Makes volumes; it runs beside the control plane, as a user of the API server."""
        config, helper = self.run.folder / "volumes.json", self.run.folder / "volume-helper.json"
        config.write_text(addons.provisioner_config())
        helper.write_text(addons.provisioner_helper(self.images[catalogue.PYTHON_BASE]))
        options = [
            f"--kubeconfig={self.at.kubeconfig('admin')}",
            f"--config={config}",
            f"--helper-pod-file={helper}",
            f"--helper-image={self.images[catalogue.PYTHON_BASE]}",
            f"--namespace={addons.STORAGE_NAMESPACE}",
            f"--configmap-name={addons.STORAGE_CLASS}",
            f"--service-account-name={addons.STORAGE_CLASS}",
        ]
        self.run.start("local-path-provisioner", [self.assets["local-path-provisioner"], "start", *options])

    def _await_ready(self, cluster: Cluster) -> None:
        for node in self.nodes:
            _wait(f"{node.name} is not Ready", functools.partial(is_ready, cluster, node.name), self.run)
        self._mark("nodes Ready")
        _wait("DNS is not ready", lambda: _ready_replicas(cluster) == "1", self.run)
        self._mark("DNS ready")

    def _mark(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:5.1f} s  {what}")


def is_ready(cluster: Cluster, node: str) -> bool:
    """Whether a node exists and says that it is ready."""
    path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return cluster.kubectl("get", "node", node, "--ignore-not-found", "--output", path) == "True"


def _ready_replicas(cluster: Cluster) -> str:
    return cluster.kubectl("-n", "kube-system", "get", "deployment", "coredns", "--output", "jsonpath={.status.readyReplicas}")


def _wait(problem: str, there: Callable[[], bool], run: Run) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not there():
        if time.monotonic() > deadline:
            raise KubeError(f"{problem} after {READY_SECONDS:.0f} s; see {run.logs}")
        time.sleep(0.1)
