"""One node: its namespaces and what runs in them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bidlock_kube import kubeconfigs
from bidlock_kube.assets import Assets
from bidlock_kube.certificates import CLIENT, SERVER, Authority
from bidlock_kube.components import Layout
from bidlock_kube.errors import KubeError
from bidlock_kube.nodetier import addresses, cgroups, configs, network
from bidlock_kube.nodetier.commands import ENVIRONMENT
from bidlock_kube.nodetier.commands import run as system
from bidlock_kube.runs import Run

PROGRAMS = ("kubelet", "kube-proxy")

START_SECONDS = 30.0
"""How long a node's first processes may take; about one on an idle machine."""

_NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a cluster's run; the first is number 1."""

    run: Run
    number: int

    @property
    def name(self) -> str:
        """Of the Node object, too."""
        return addresses.name(self.number)

    @property
    def folder(self) -> Path:
        """All that it keeps, over its power failures as well."""
        return self.run.folder / self.name

    @property
    def cgroup(self) -> str:
        """Where its pods run."""
        return cgroups.name(self.run.folder.name, self.name)

    @property
    def up(self) -> bool:
        """Whether it has power."""
        return self.run.find(self.name) is not None

    @property
    def pid(self) -> int:
        """Of its first process, as this machine sees it.

        Raises:
            KubeError: the node is down.
        """
        outer = self.run.find(self.name)
        children = outer.children() if outer else []
        if not children:
            raise KubeError(f"{self.name} is down; see {self.run.log(self.name)}")
        return int(children[0].pid)

    def prepare(self, at: Layout, authority: Authority, pause: str) -> None:
        """Lay out its folder: configuration, certificates, who it is to the API server."""
        for name in (*configs.PRIVATE, "cni"):
            (self.folder / name).mkdir(parents=True)
        files = {
            "init.sh": configs.init(self.number, self.folder),
            "containerd.toml": configs.containerd(pause, self.folder),
            "cni/10-pods.conflist": configs.cni(self.number),
            "kubelet.json": configs.kubelet(self.folder, at.pki, self.cgroup),
            "kube-proxy.json": configs.kube_proxy(self.number, self.folder),
            "resolv.conf": "",  # no names but the cluster's
        }
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self._introduce(at, authority)

    def _introduce(self, at: Layout, authority: Authority) -> None:
        hosts = [self.name, addresses.node(self.number)]
        kubelet = authority.issue(f"system:node:{self.name}", group="system:nodes", uses=[SERVER, CLIENT], hosts=hosts)
        kubelet.write(self.folder, "kubelet")
        for user, pair in {"kubelet": kubelet, "kube-proxy": authority.issue("system:kube-proxy")}.items():
            kubeconfigs.with_certificate(self.folder / f"{user}.kubeconfig", url=at.url, authority=authority.certificate, pair=pair)

    def power_on(self) -> None:
        """Start the namespaces, the network and containerd; a node that lost its power finds all it had on its disk.

        Raises:
            KubeError: something did not start; the message has the end of its log.
        """
        (self.folder / "arranged").unlink(missing_ok=True)
        cgroups.make(self.cgroup)
        self.run.start(self.name, ["unshare", *_NAMESPACES, "sh", self.folder / "init.sh"], ENVIRONMENT)
        self._await((self.folder / "arranged").exists, self.name)
        network.connect(self.number, self.pid)
        self._start("containerd", "containerd", "--config", self.folder / "containerd.toml")
        self._await(self._containerd_answers, f"{self.name}-containerd")

    def join(self, assets: Assets) -> None:
        """Start what makes it a node of the cluster; it becomes Ready by itself."""
        node = (f"--hostname-override={self.name}", f"--node-ip={addresses.node(self.number)}")
        where = (f"--config={self.folder}/kubelet.json", f"--kubeconfig={self.folder}/kubelet.kubeconfig")
        self._start("kubelet", assets["kubelet"], *where, *node, "--root-dir=/var/lib/kubelet")
        self._start("kube-proxy", assets["kube-proxy"], f"--config={self.folder}/kube-proxy.json")

    def power_off(self) -> None:
        """Kill the node: all of its processes at once, as a power failure does."""
        psutil.Process(self.pid).kill()
        for name in (self.name, *(f"{self.name}-{program}" for program in ("containerd", *PROGRAMS))):
            self.run.kill(name)
        network.disconnect(self.number)

    def inside(self, *words: str | Path, stdin: str | None = None) -> str:
        """Run a command in the node and return what it printed.

        Raises:
            KubeError: it failed, or the node is down.
        """
        return system(*self.enter(), *words, stdin=stdin)

    def enter(self) -> list[str]:
        """The command before a command that is to run in the node."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "-u", "-i", "--"]

    def _start(self, program: str, *command: str | Path) -> None:
        self.run.start(f"{self.name}-{program}", [*self.enter(), *command], ENVIRONMENT)

    def _containerd_answers(self) -> bool:
        try:
            self.inside("ctr", "--address", configs.SOCKET, "version")
        except KubeError:
            return False
        return True

    def _await(self, there: Callable[[], bool], process: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not there():
            self.run.require(process)
            if time.monotonic() > deadline:
                raise KubeError(f"{process} did not start within {START_SECONDS:.0f} s; see {self.run.log(process)}")
            time.sleep(0.02)


def of(run: Run) -> list[Node]:
    """The nodes of a run, in order; those that are down, too."""
    return [Node(run, number) for number in range(1, addresses.MOST_NODES + 1) if Node(run, number).folder.is_dir()]


def prepare_machine(run: Run) -> None:
    """What all nodes share on this machine, and how it is undone.

    A node's own folders are mounted over these, and kubelet sets three values of the kernel for the whole machine.
    """
    for place in (*configs.PRIVATE.values(), *configs.FLEETING):
        if not Path(place).is_dir():
            run.undo("rmdir", place)
            Path(place).mkdir(parents=True)
    run.undo(sys.executable, "-m", "bidlock_kube.nodetier.cgroups", cgroups.name(run.folder.name))
    for value in ("vm.overcommit_memory", "kernel.panic", "kernel.panic_on_oops"):
        run.undo("sysctl", "-q", "-w", f"{value}={system('sysctl', '-n', value).strip()}")
