"""A run lives as long as somebody uses it, and is gone after, however they end."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bidlock_kube import runs, tenancy
from bidlock_kube.runs import Run

TENANT = """
import sys
from pathlib import Path
from bidlock_kube import tenancy
from bidlock_kube.runs import Run

run = Run(tenancy.folder("shared"), Path(sys.argv[1]))
with tenancy.joined(run):
    if not run.find("server"):
        run.start("server", ["/bin/sleep", "1000"])
    print("joined", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """What all tenants share."""
    monkeypatch.setenv("KUBE_RUNS", str(tmp_path / "runs"))
    run = Run(tenancy.folder("shared"), tmp_path / "logs")
    yield run
    runs.sweep(run.folder)


class Tenant:
    """A process that uses the run until it is told to leave, or killed."""

    def __init__(self, logs: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", TENANT, logs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def await_joined(self) -> Tenant:
        assert self.process.stdout.readline() == "joined\n"
        return self

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def tenants(run):
    """Two of them."""
    both = [Tenant(run.logs).await_joined() for _ in range(2)]
    yield both
    for one in both:
        one.kill()


def test_who_leaves_takes_nothing_away_while_another_stays(run, tenants):
    tenants[0].leave()

    assert run.find("server")


def test_everything_is_gone_when_the_last_has_left(run, tenants, gone):
    server = run.find("server")

    for one in tenants:
        one.leave()

    assert gone(server)
    assert not runs.root().exists()


def test_everything_is_gone_soon_after_the_last_was_killed(run, tenants, until, gone):
    server, guardian = run.find("server"), run.find("guardian")

    for one in tenants:
        one.kill()

    until(lambda: not run.folder.exists())
    until(lambda: gone(guardian))
    assert gone(server)


def test_a_killed_tenant_takes_nothing_away_while_another_stays(run, tenants):
    tenants[0].kill()

    assert run.find("server")
    tenants[1].leave()
    assert not run.folder.exists()


def test_without_its_guardian_a_run_still_ends_with_its_last_tenant(run, tenants):
    run.kill("guardian")

    for one in tenants:
        one.leave()

    assert not runs.root().exists()


def test_what_was_left_when_guardian_and_tenants_were_killed_is_swept_by_the_next_run(run, tenants, tmp_path, gone):
    server = run.find("server")
    run.kill("guardian")
    for one in tenants:
        one.kill()
    assert not gone(server)

    with tenancy.joined(Run(tenancy.folder("another"), tmp_path / "logs")):
        assert gone(server)
        assert not run.folder.exists()


def test_the_next_tenant_brings_a_guardian_back(run, tenants):
    run.kill("guardian")

    third = Tenant(run.logs).await_joined()

    assert run.find("guardian")
    third.leave()


def test_who_comes_while_a_run_is_swept_gets_a_new_one(run, until):
    run.folder.mkdir(parents=True)
    with (run.folder / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        late = Tenant(run.logs)
        until(lambda: any(file.path == users.name for file in psutil.Process(late.process.pid).open_files()))
        runs.sweep(run.folder)

    late.await_joined()

    assert run.find("server")
    late.leave()
    assert not run.folder.exists()
