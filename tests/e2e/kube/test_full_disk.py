"""A disk that is full is said in one line, with the variable that names another one.

The disk is a small one in memory, and really full: not a byte more can be written to it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.node  # to mount a disk takes root

COMMAND = [sys.executable, "-c", "from bidlock_kube.cli import main; main()"]
FULL = """
mount -t tmpfs -o size=1m none "$DISK"
mkdir "$DISK/folder"
dd if=/dev/zero of="$DISK/rest" bs=4k 2>/dev/null
! echo more 2>/dev/null >"$DISK/more" || exit 9
exec "$@"
"""


@pytest.mark.parametrize(
    ("variable", "words", "said"),
    [
        ("KUBE_RUNS", ["up", "--tier", "node"], "has 0 MiB free, a cluster needs 2048; free some (make kube-down), or set KUBE_RUNS"),
        ("KUBE_RUNS", ["up", "--tier", "api"], "has 0 MiB free, a cluster needs 512; free some (make kube-down), or set KUBE_RUNS"),
        ("XDG_CACHE_HOME", ["build", "helm"], "which has 0 free; free some, or set XDG_CACHE_HOME"),
    ],
)
def test_a_full_disk_is_said_in_one_line(tmp_path, variable, words, said):
    given = {**os.environ, "DISK": str(tmp_path), variable: str(tmp_path / "folder")}
    ended = subprocess.run(["unshare", "--mount", "sh", "-c", FULL, "sh", *COMMAND, *words], env=given, capture_output=True, text=True)

    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
