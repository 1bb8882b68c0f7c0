"""The API tier: a control plane on loopback, without nodes. Needs no root, and is there in seconds."""

from __future__ import annotations

from bidlock_kube import components, credentials, ports
from bidlock_kube.assets import Assets
from bidlock_kube.cluster import Cluster
from bidlock_kube.components import Layout
from bidlock_kube.controlplane import PROGRAMS, ControlPlane
from bidlock_kube.locking import Say
from bidlock_kube.runs import Run


def start(run: Run, *, port: int = 0, say: Say) -> Cluster:
    """Start an API tier in a folder of its own, and return when it is ready.

    Raises:
        KubeError: a program is missing and cannot be built, the port is taken, or a process died.
    """
    assets = Assets.of(*PROGRAMS, say=say)
    run.check_space()
    run.logs.mkdir(parents=True, exist_ok=True)
    with ports.reserved("127.0.0.1", port) as chosen:
        at = Layout(run.folder, run.logs / "audit.jsonl", chosen)
        credentials.prepare(at)
        ControlPlane(run, at, assets).start()
    return Cluster("api", at.kubeconfig("admin"), at.url, assets["kubectl"], run.folder, run.logs, at.audit)


def add_scheduler(cluster: Cluster, *, say: Say) -> None:
    """Start a scheduler unless one runs.

    Raises:
        KubeError: it cannot be built.
    """
    run = cluster.run
    if not run.find("kube-scheduler"):
        run.start("kube-scheduler", components.kube_scheduler(Assets.of("kube-scheduler", say=say), cluster.folder))
