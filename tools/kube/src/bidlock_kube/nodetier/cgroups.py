"""A cgroup per node for its pods, in whichever version this machine has.

`python -m bidlock_kube.nodetier.cgroups FOLDER` removes what is below FOLDER in every hierarchy; it is how a run undoes them.
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


def make(node: str) -> None:
    """An empty cgroup for a node's pods; what a killed node left in it is removed, else its pods come back slowly."""
    remove(f"{OURS}/{node}")
    for root in hierarchies():
        for folder in (root / OURS, root / OURS / node):
            _enable(folder.parent)
            folder.mkdir(exist_ok=True)
            _inherit(folder)


def remove(name: str) -> bool:
    """Remove a cgroup and all below it, when the processes in it are gone; False when some are still there."""
    deadline = time.monotonic() + GONE_SECONDS
    roots = [*_mounted("cgroup"), *_mounted("cgroup2")]  # beside version 1 runc makes empty ones of version 2
    while left := [root / name for root in roots if (root / name).exists()]:
        for folder in (below for top in left for below in _deepest_first(top)):
            with contextlib.suppress(OSError):  # a process is still ending in there
                folder.rmdir()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def processes(path: str) -> Iterator[int]:
    """Ids, as this machine sees them, of what runs in the cgroups that match; a glob below a node's cgroup."""
    for root in hierarchies():
        found = [int(word) for file in root.glob(f"{OURS}/{path}/cgroup.procs") for word in file.read_text().split()]
        if found:
            yield from found
            return


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
    sys.exit(not remove(sys.argv[1]))
