"""Run a system command to its end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bidlock_kube.errors import KubeError

PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
"""Where system commands are; the path of an ordinary shell often lacks half of it."""

ENVIRONMENT: Mapping[str, str] = {**os.environ, "PATH": PATH}


def run(*words: str | Path, stdin: str | None = None) -> str:
    """Run a command and return what it printed.

    Raises:
        KubeError: it failed; the message is what it said.
    """
    command = [str(word) for word in words]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    except FileNotFoundError as error:
        raise KubeError(f"{command[0]} is not installed") from error
    if done.returncode:
        raise KubeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
