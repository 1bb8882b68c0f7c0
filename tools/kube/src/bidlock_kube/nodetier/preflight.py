"""What must hold before a node can start: one line each, with the remedy."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator

from bidlock_kube.errors import KubeError
from bidlock_kube.nodetier import cgroups, commands, configs

KERNEL = (5, 13)
"""Oldest kernel that kube-proxy's nftables mode works on."""

PACKAGES = {
    "buildah": "buildah",
    "catatonit": "catatonit",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "ctr": "containerd",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "sysctl": "procps",
    "unshare": "util-linux",
}
"""Commands that are run, and the Debian package of each."""

MODULES = ("overlay", "br_netfilter", "veth", "nf_tables")
"""Parts of the kernel; loaded if they are modules."""


def check() -> None:
    """Check this machine.

    Raises:
        KubeError: what is missing, and what to do; all packages in one line.
    """
    for problem in problems():
        raise KubeError(problem)


def problems() -> Iterator[str]:
    """Everything that stands in the way, the first reason first."""
    if sys.platform != "linux":
        yield f"nodes need Linux, this is {platform.system()}; set KUBECONFIG and IMAGE_REGISTRY to use a cluster elsewhere"
        return
    if os.geteuid() != 0:
        yield "nodes need root; run it with sudo, or set KUBECONFIG and IMAGE_REGISTRY to use a cluster elsewhere"
        return
    if (old := _kernel(platform.release())) < KERNEL:
        yield f"nodes need Linux {'.'.join(map(str, KERNEL))} or newer, this is {'.'.join(map(str, old))}; use a newer machine"
    if packages := missing_packages(lambda command: shutil.which(command, path=commands.PATH) is not None):
        yield f"not installed: apt-get install --no-install-recommends {' '.join(packages)}"
        return
    if modules := [module for module in MODULES if not _loaded(module)]:
        yield f"this kernel lacks {', '.join(modules)}; use one that has them"
    if not cgroups.hierarchies():
        yield "no cgroups are mounted; mount them at /sys/fs/cgroup"


def missing_packages(there: Callable[[str], bool]) -> list[str]:
    """Debian packages to install, given which commands are there."""
    plugins = [] if (configs.CNI_PROGRAMS / "bridge").exists() else ["containernetworking-plugins"]
    return sorted({*plugins, *_packages(command for command in PACKAGES if not there(command))})


def _packages(commands_missing: Iterable[str]) -> Iterator[str]:
    return (PACKAGES[command] for command in commands_missing)


def _kernel(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])


def _loaded(module: str) -> bool:
    """Whether the kernel has it, built in or as a module."""
    try:
        commands.run("modprobe", module)
    except KubeError:
        return _works_without_module(module)
    return True


def _works_without_module(module: str) -> bool:
    """A kernel without a folder of modules has built in what it has; each part shows itself in another place."""
    signs = {
        "overlay": lambda: "overlay" in commands.run("cat", "/proc/filesystems"),
        "br_netfilter": lambda: os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables"),  # noqa: PTH110 — a switch of the kernel
        "veth": lambda: True,  # the first cable will tell
        "nf_tables": lambda: commands.run("nft", "list", "tables") is not None,
    }
    try:
        return signs[module]()
    except KubeError:
        return False
