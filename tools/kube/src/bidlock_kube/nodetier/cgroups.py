"""A cgroup per node for its pods, in whichever version this machine has.

`python -m bidlock_kube.nodetier.cgroups PATH` removes that cgroup, and its parent if nobody else is in there; it is how a run undoes them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OURS = "bidlock-kube"
GONE_SECONDS = 10.0
"""How long killed processes may stay in a cgroup."""


def hierarchies() -> list[Path]:
    """Where cgroups that control something are mounted: one path for version 2, one per controller for version 1."""
    return _mounted("cgroup") or _mounted("cgroup2")


def _mounted(kind: str) -> list[Path]:
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(words[1]) for words in lines if words[2] == kind]


def name(run: str, node: str = "") -> str:
    """The cgroup of a run, or of one of its nodes; kubelet ends whatever it does not know in there."""
    return f"{OURS}/{run}/{node}".rstrip("/")


def make(path: str) -> None:
    """An empty cgroup for a node's pods; what a killed node left in it is removed, else its pods come back slowly."""
    remove(path)
    for root in hierarchies():
        folder = root
        for part in Path(path).parts:
            _enable(folder)
            folder /= part
            folder.mkdir(exist_ok=True)
            _inherit(folder)


def remove(path: str) -> bool:
    """Remove a cgroup and all below it, when the processes in it are gone; False when some are still there."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := _everywhere(path):
        for folder in (below for top in left for below in _deepest_first(top)):
            with contextlib.suppress(OSError):  # a process is still ending in there
                folder.rmdir()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def processes(pattern: str) -> Iterator[int]:
    """Ids, as this machine sees them, of what runs in the cgroups whose path matches."""
    for root in hierarchies():
        found = [int(word) for file in root.glob(f"{pattern}/cgroup.procs") for word in file.read_text().split()]
        if found:
            yield from found
            return


def _everywhere(path: str) -> list[Path]:
    """A cgroup in every hierarchy that has it; beside version 1 runc makes empty ones of version 2."""
    return [root / path for root in (*_mounted("cgroup"), *_mounted("cgroup2")) if (root / path).exists()]


def _deepest_first(top: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(top, topdown=False)]


def _enable(parent: Path) -> None:
    """Version 2: let children of this cgroup have every controller."""
    control = parent / "cgroup.subtree_control"
    if control.exists():
        for controller in (parent / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):  # a controller that cannot be delegated here is one that pods do without
                control.write_text(f"+{controller}")


def _inherit(folder: Path) -> None:
    """Version 1: a new cpuset is empty, and nothing may run in it."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and not (folder / "cgroup.controllers").exists():
            (folder / name).write_text((folder.parent / name).read_text())


if __name__ == "__main__":
    gone = remove(sys.argv[1])
    for parent in _everywhere(str(Path(sys.argv[1]).parent)):
        with contextlib.suppress(OSError):  # another run is in there
            parent.rmdir()
    sys.exit(not gone)
