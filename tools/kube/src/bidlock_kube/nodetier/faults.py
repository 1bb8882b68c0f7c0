"""Hurt a pod or a node, as the world does; what was done is undone at the end.

The tools act on this machine's processes and links, so they work in the node tier alone; `drain` works on any cluster.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bidlock_kube.assets import Assets
from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError
from bidlock_kube.nodetier import addresses, cgroups, nodes
from bidlock_kube.nodetier.commands import run as system
from bidlock_kube.nodetier.nodes import Node

DRAIN_SECONDS = 120
_TABLE = "bidlock_fault"


class Faults:
    """The fault tools of one cluster; `undo` makes good what they did."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._repairs = contextlib.ExitStack()

    @property
    def unavailable(self) -> str:
        """Why faults that need this machine's nodes cannot be had; empty when they can."""
        return (
            ""
            if self.cluster.tier == "node"
            else f"this fault needs nodes on this machine, and the tests run on an {self.cluster.tier} cluster"
        )

    def undo(self) -> None:
        """Resume, heal, power on and uncordon whatever is stopped, cut, off or drained, the latest first."""
        self._repairs.close()

    def kill(self, namespace: str, pod: str, container: str = "") -> None:
        """End a container's first process (SIGKILL), as a crash does.

        Args:
            namespace: Of the pod.
            pod: Its name.
            container: Which one; the first by default.
        """
        os.kill(self.pid(namespace, pod, container), signal.SIGKILL)

    def stop(self, namespace: str, pod: str, container: str = "") -> None:
        """Stop a container's first process (SIGSTOP): it is there and does nothing, until `resume`."""
        pid = self.pid(namespace, pod, container)
        os.kill(pid, signal.SIGSTOP)
        self._repairs.callback(_resume, pid)

    def resume(self, namespace: str, pod: str, container: str = "") -> None:
        """Let a stopped process go on (SIGCONT)."""
        _resume(self.pid(namespace, pod, container))

    def cut(self, namespace: str, pod: str, *peers: str, replies_only: bool = False) -> None:
        """Cut a pod off, until `heal`.

        Args:
            namespace: Of the pod.
            pod: Its name.
            peers: Addresses; everybody by default, kubelet's network probes among them. A pod that asks a Service sees the
                Service's address, and its endpoints see the pod's (`address_of`).
            replies_only: Drop only what comes in: what the pod asks for is done, and it does not learn it.
        """
        pid = self.pid(namespace, pod)
        inward = [f"ip saddr {peer} drop" for peer in peers] or ["drop"]
        outward = [] if replies_only else [f"ip daddr {peer} drop" for peer in peers] or ["drop"]
        system("nsenter", "-t", str(pid), "-n", "nft", "-f", "-", stdin=_rules(inward, outward))
        self._repairs.callback(_heal, pid)

    def heal(self, namespace: str, pod: str) -> None:
        """Undo `cut`."""
        _heal(self.pid(namespace, pod))

    def power_off(self, node: str) -> None:
        """Take a node's power away: all of its processes end at once; its disk stays."""
        self._node(node).power_off()
        self._repairs.callback(self.power_on, node)

    def power_on(self, node: str) -> None:
        """Give a node its power back; nothing happens when it has it. It becomes Ready by itself."""
        machine = self._node(node)
        if not machine.up:
            machine.power_on()
            machine.join(Assets.of(*nodes.PROGRAMS))

    def unplug(self, node: str) -> None:
        """Take a node off the network, until `plug`; its pods go on, and talk among themselves."""
        system("ip", "link", "set", addresses.link(self._node(node).number), "down")
        self._repairs.callback(self.plug, node)

    def plug(self, node: str) -> None:
        """Put a node back on the network."""
        link = addresses.link(self._node(node).number)
        system("ip", "link", "set", link, "up")

    def drain(self, node: str) -> None:
        """Evict every pod of a node, as before maintenance; disruption budgets are obeyed. `uncordon` ends it.

        Raises:
            KubeError: a budget did not allow it in time.
        """
        self._repairs.callback(self.uncordon, node)
        options = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={DRAIN_SECONDS}s")
        self.cluster.kubectl("drain", node, *options)

    def uncordon(self, node: str) -> None:
        """Let pods come to a node again."""
        self.cluster.kubectl("uncordon", node)

    def pid(self, namespace: str, pod: str, container: str = "") -> int:
        """The first process of a container, as this machine sees it.

        Raises:
            KubeError: it does not run, or not on this machine.
        """
        if self.unavailable:
            raise KubeError(self.unavailable)
        found = json.loads(self.cluster.kubectl("-n", namespace, "get", "pod", pod, "--output", "json"))
        identity = _container(found, container).partition("://")[2]
        node = cgroups.name(self.cluster.run.folder.name, found["spec"].get("nodeName", "nowhere"))
        where = f"{node}/kubepods/**/pod{found['metadata']['uid']}/{identity}"
        running = [
            (since, process) for process in (cgroups.processes(where) if identity else ()) if (since := _started(process)) is not None
        ]
        if not running:
            raise KubeError(f"{namespace}/{pod} has no process of {container or 'its first container'} now")
        return min(running)[1]

    def _node(self, name: str) -> Node:
        if self.unavailable:
            raise KubeError(self.unavailable)
        for node in nodes.of(self.cluster.run):
            if node.name == name:
                return node
        raise KubeError(f"there is no node {name}; there are {', '.join(node.name for node in nodes.of(self.cluster.run))}")


def _container(pod: dict[str, Any], name: str) -> str:
    statuses = pod["status"].get("containerStatuses", [])
    names = [name or pod["spec"]["containers"][0]["name"]]
    return next((str(status.get("containerID", "")) for status in statuses if status["name"] in names), "")


def _started(pid: int) -> int | None:
    """When it began, in ticks since the machine did; None when it has ended.

    A container's first process is its oldest: commands of exec probes share its cgroup. It need not be number 1 of its namespace, for a pod's
    containers may share theirs.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])  # field 22 of proc(5); the name in parentheses may have spaces


def _rules(inward: list[str], outward: list[str]) -> str:
    def chain(name: str, rules: list[str]) -> Iterator[str]:
        yield f"chain {name} {{ type filter hook {name} priority filter;"
        yield from (f"{rule};" for rule in rules)
        yield "}"

    return "\n".join([f"table inet {_TABLE} {{", *chain("input", inward), *chain("output", outward), "}\n"])


def _heal(pid: int) -> None:
    with contextlib.suppress(KubeError):  # healed already, or the pod is gone and its network with it
        system("nsenter", "-t", str(pid), "-n", "nft", "delete", "table", "inet", _TABLE)


def _resume(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
