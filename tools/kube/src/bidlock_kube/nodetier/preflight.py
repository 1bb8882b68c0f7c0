"""What must hold before a node can start: one line each, with the remedy."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator

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

FEATURES = {
    "overlay": ("grep", "-qw", "overlay", "/proc/filesystems"),
    "br_netfilter": ("test", "-e", "/proc/sys/net/bridge/bridge-nf-call-iptables"),
    "nf_tables": ("nft", "list", "tables"),
}
"""Parts of the kernel, and a command that succeeds when it is there."""


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
    if old := too_old(platform.release()):
        yield old
    if packages := missing_packages():
        yield f"not installed: apt-get install --no-install-recommends {' '.join(packages)}"
        return
    if lacking := [feature for feature in FEATURES if not _has(feature)]:
        yield f"this kernel lacks {', '.join(lacking)}; use one that has them, built in or as modules"
    if not cgroups.hierarchies():
        yield "no cgroups are mounted; mount them at /sys/fs/cgroup"


def missing_packages() -> list[str]:
    """Debian packages to install."""
    plugins = [] if (configs.CNI_PROGRAMS / "bridge").exists() else ["containernetworking-plugins"]
    lacking = [package for command, package in PACKAGES.items() if not shutil.which(command, path=commands.PATH)]
    return sorted({*plugins, *lacking})


def too_old(release: str) -> str:
    """What is wrong with a kernel of this release (`6.1.0-18-amd64`); empty when nothing is."""
    version = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    if version >= KERNEL:
        return ""
    return f"nodes need Linux {'.'.join(map(str, KERNEL))} or newer, this is {'.'.join(map(str, version))}; use a newer machine"


def _has(feature: str) -> bool:
    """Whether the kernel has it; it is loaded if it is a module."""
    with contextlib.suppress(KubeError):  # built in, or not there: the next command knows
        commands.run("modprobe", "--quiet", feature)
    try:
        commands.run(*FEATURES[feature])
    except KubeError:
        return False
    return True
