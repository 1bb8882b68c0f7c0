"""Run a command; when it fails, its own last words are the error."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bidlock_kube.errors import KubeError


def run(command: Sequence[str | Path], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run to the end and return what it printed.

    Raises:
        KubeError: it failed or is not installed.
    """
    try:
        done = subprocess.run(
            [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise KubeError(f"{command[0]} is not installed") from error
    if done.returncode:
        raise KubeError(f"{' '.join(map(str, command[:6]))} … failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
