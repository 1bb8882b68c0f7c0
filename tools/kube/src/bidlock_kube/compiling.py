"""Run `go build` and say how far it is."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bidlock_kube import places, recipes
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say
from bidlock_kube.programs import Module, Program

PROGRESS_SECONDS = 10.0
"""How often a build says how far it is."""

_TIED = 'exec 3<&0; { read -r _ <&3; kill -KILL 0; } & "$@" </dev/null 3<&-'
"""Runs a command that ends, with all it started, when our end of the pipe is closed: by the kernel, should we be killed."""

_LOG_LINES = 8
_RESULT = frozenset({"GOFLAGS", "GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT", "GOROOT"})
"""Settings of the machine that would change the result."""


def environment(go: Path) -> Mapping[str, str]:
    """What the compiler sees: the machine's proxies and certificates, nothing that changes the result."""
    cache = places.cache() / "go"
    return {key: value for key, value in os.environ.items() if key not in _RESULT} | {
        "GOFLAGS": recipes.GOFLAGS,
        "CGO_ENABLED": "0",  # so that a binary runs in any image
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOPATH": str(cache),
        "GOMODCACHE": str(cache / "mod"),
        "GOCACHE": str(cache / "build"),
        "PATH": f"{go.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def compile_into(folder: Path, module: Module, programs: Sequence[Program], *, go: Path, log: Path, say: Say) -> None:
    """Build programs of one module into `folder`, in one run: what they share is compiled once.

    Raises:
        KubeError: the build failed; the message ends with the end of its log.
    """
    packages = [program.package for program in programs]
    command = [str(go), "build", "-v", f"-ldflags={module.ldflags}", "-o", f"{folder}{os.sep}", *packages]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as lines:
        tied = ["/bin/sh", "-c", _TIED, "sh", *command]
        with subprocess.Popen(
            tied, cwd=module.folder, env=environment(go), stdin=subprocess.PIPE, stdout=lines, stderr=lines, process_group=0
        ) as build:
            _watch(build, f"building {', '.join(program.name for program in programs)} {module.version}", log, say)
    if build.returncode:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        raise KubeError(
            f"go build of {module.name} failed; if it could not fetch modules set GOPROXY, or give binaries with KUBE_ASSETS. "
            f"All of it is in {log}, which ends:\n{end}"
        )


def _watch(build: subprocess.Popen[bytes], what: str, log: Path, say: Say) -> None:
    began = time.monotonic()
    say(f"{what} …")
    while _runs(build):
        say(f"{what} … {time.monotonic() - began:.0f} s, {_compiled(log)} packages compiled")
    if not build.returncode:
        say(f"{what}: done in {time.monotonic() - began:.0f} s")


def _runs(build: subprocess.Popen[bytes]) -> bool:
    try:
        build.wait(PROGRESS_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _compiled(log: Path) -> int:
    lines = log.read_text(errors="replace").splitlines()
    return sum(not line.startswith("go: ") for line in lines)
