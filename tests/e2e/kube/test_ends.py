"""A cluster of nodes that a person starts is there with one command, and gone with another.

Each command runs in a network of its own, since a machine's network holds one cluster of nodes at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bidlock_kube import runs

COMMAND = [sys.executable, "-c", "from bidlock_kube.cli import main; main()"]
UP_ASK_DOWN = """
ip link set lo up
set -e
"$@" up --tier node --nodes 1 >"$HERE/said"
. "$HERE/said"
kubectl=$("$@" build kubectl | cut -f2)
"$kubectl" get nodes
"$@" down
echo left: $(ip -br link | grep -vw lo) $(ip route) $(nft list tables)
"""


@pytest.fixture
def own(tmp_path, faults) -> dict[str, str]:
    """An environment in which a cluster of our own is kept in a folder of the test's own."""
    return {**os.environ, "KUBE_RUNS": str(tmp_path / "runs"), "HERE": str(tmp_path)}


def test_up_makes_a_ready_node_and_down_leaves_no_process_mount_link_route_or_rule(own, tmp_path):
    ended = subprocess.run(
        ["unshare", "--net", "sh", "-c", UP_ASK_DOWN, "sh", *COMMAND], env=own, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    *_, node, left = ended.stdout.splitlines()
    assert node.split()[:2] == ["node-1", "Ready"]
    assert left == "left:"
    assert not (tmp_path / "runs").exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert not [process for process in psutil.process_iter() if _run_of(process).startswith(str(tmp_path))]
    assert not list(Path("/sys/fs/cgroup").glob("*/bidlock-kube/up/node-1"))


def _run_of(process: psutil.Process) -> str:
    try:
        return process.environ().get(runs.RUN_VARIABLE, "")
    except (psutil.Error, OSError):
        return ""
