"""One API server for all workers of a run, and none after it, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bidlock_kube import runs

pytestmark = [pytest.mark.slow, pytest.mark.kube]

WORKER_VARIABLES = ("PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST")

INNER = """
import os
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(4))
def test_inner(kube, number):
    with Path({said!r}).open("a") as said:
        said.write(f"{{kube.url}} {{os.environ.get('PYTEST_XDIST_WORKER')}}\\n")
    time.sleep({seconds})
    assert number != {broken}
"""


class Inner:
    """A pytest of its own, with an API server of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"

    def start(self, *options: str, seconds: float = 0, broken: int = -1) -> subprocess.Popen[str]:
        test = self.folder / "test_inner.py"
        test.write_text(INNER.format(said=str(self.said), seconds=seconds, broken=broken))
        environment = {name: value for name, value in os.environ.items() if name not in WORKER_VARIABLES}
        marker = "markers=kube: asks for a running Kubernetes"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "bidlock_kube.pytest_plugin",
            "-q",
            "-o",
            marker,
            f"--rootdir={self.folder}",
            f"--basetemp={self.folder / 'base'}",
            *options,
            test,
        ]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def urls(self) -> list[str]:
        """Of the servers that tests got."""
        return [line.split()[0] for line in self._lines()]

    @property
    def workers(self) -> dict[str, list[str]]:
        """Of each worker the servers that its tests got."""
        found: dict[str, list[str]] = {}
        for line in self._lines():
            url, worker = line.split()
            found.setdefault(worker, []).append(url)
        return found

    def _lines(self) -> list[str]:
        return [line for line in self.said.read_text().splitlines(keepends=True) if line.endswith("\n")] if self.said.exists() else []


@pytest.fixture
def inner(tmp_path, monkeypatch) -> Inner:
    """What it leaves would be in a root of its own."""
    monkeypatch.setenv("KUBE_RUNS", str(tmp_path / "runs"))
    return Inner(tmp_path)


def components(root: Path) -> list[psutil.Process]:
    """What runs for any run under this root."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(runs.RUN_VARIABLE, "").startswith(str(root)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_all_workers_of_a_run_share_one_server(inner):
    ended = inner.start("-n", "2")
    output, _ = ended.communicate(timeout=300)

    assert ended.returncode == 0, output
    assert len(inner.urls) == 4
    assert len(set(inner.urls)) == 1
    assert not components(runs.root())
    assert not runs.root().exists()


def test_the_time_it_took_is_said_and_logs_are_named_when_a_test_fails(inner):
    output, _ = inner.start("-p", "no:xdist", broken=2).communicate(timeout=300)

    assert re.search(r"kube: api tier ready in \d+\.\d s", output)
    assert "1 failed, 3 passed" in output
    logs = Path(re.search(r"logs and audit log: (.*)", output)[1])
    assert {path.name for path in logs.iterdir()} >= {"etcd.log", "kube-apiserver.log", "kube-controller-manager.log", "audit.jsonl"}


def test_what_is_in_the_way_is_said_without_a_traceback(inner, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBE_ASSETS", str(tmp_path))

    output, _ = inner.start("-p", "no:xdist").communicate(timeout=300)

    assert f"KUBE_ASSETS={tmp_path} has no executable etcd" in output
    assert "Traceback" not in output
    assert "raise KubeError" not in output


def test_an_unknown_tier_is_refused_with_the_known_ones(inner, monkeypatch):
    monkeypatch.setenv("BIDLOCK_KUBE", "moon")

    output, _ = inner.start("-p", "no:xdist").communicate(timeout=300)

    assert "no tier moon; BIDLOCK_KUBE may say api, node, external" in output


@pytest.mark.parametrize("options", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "two workers"])
def test_nothing_is_left_of_a_run_whose_every_process_was_killed(inner, until, options):
    outer = inner.start(*options, seconds=1000)
    until(lambda: inner.urls, 120)
    family = [psutil.Process(outer.pid), *psutil.Process(outer.pid).children(recursive=True)]
    tests = [one for one in family if runs.RUN_VARIABLE not in one.environ()]
    assert components(runs.root())

    for process in tests:
        process.send_signal(signal.SIGKILL)
    outer.communicate()

    until(lambda: not components(runs.root()))
    until(lambda: not runs.root().exists())


def test_a_killed_worker_takes_nothing_from_the_others(inner, until):
    """The one that takes its place may come when the others are done, and then gets a server of its own."""
    outer = inner.start("-n", "2", "--dist=each", seconds=2)
    until(lambda: len(inner.workers) == 2, 120)
    worker = next(one for one in psutil.Process(outer.pid).children() if runs.RUN_VARIABLE not in one.environ())

    worker.kill()
    output, _ = outer.communicate(timeout=300)

    survivor = max((inner.workers[name] for name in ("gw0", "gw1")), key=len)
    assert survivor == [inner.urls[0]] * 4, output
    assert not runs.root().exists()
