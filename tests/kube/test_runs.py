"""The processes of a run end with it, and what it did to the machine is undone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bidlock_kube import runs
from bidlock_kube.errors import KubeError
from bidlock_kube.runs import Run


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run in a root of its own."""
    monkeypatch.setenv("KUBE_RUNS", str(tmp_path / "runs"))
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    yield Run(folder, tmp_path / "logs")
    runs.sweep(folder)


def test_a_started_process_works_in_the_runs_folder_and_writes_a_log(run, until):
    run.start("talker", ["/bin/sh", "-c", "pwd; echo $0-$WHO >&2", "I"], {"WHO": "am"})

    until(lambda: run.log("talker").exists() and run.log("talker").read_text() == f"{run.folder}\nI-am\n")


def test_a_process_is_found_by_its_name(run):
    run.start("sleeper", ["/bin/sleep", "1000"])

    assert run.find("sleeper").cmdline() == ["/bin/sleep", "1000"]
    assert run.find("nobody") is None


def test_a_killed_process_is_gone_when_kill_returns(run, gone):
    run.start("sleeper", ["/bin/sleep", "1000"])
    process = run.find("sleeper")

    run.kill("sleeper")

    assert gone(process)
    assert run.find("sleeper") is None


def test_a_restarted_process_has_the_same_command_and_another_pid(run, until):
    run.start("sleeper", ["/bin/sleep", "1000"])
    until(lambda: run.find("sleeper").cmdline()[0] == "/bin/sleep")
    old = run.find("sleeper").pid

    run.restart("sleeper")

    until(lambda: run.find("sleeper").cmdline() == ["/bin/sleep", "1000"])
    assert run.find("sleeper").pid != old


def test_a_process_that_died_is_named_with_the_end_of_its_log(run, until):
    run.start("failing", ["/bin/sh", "-c", "echo cannot bind: address in use >&2; exit 3"])
    until(lambda: not run.find("failing"))

    with pytest.raises(KubeError, match=r"failing died at start; the end of .*failing\.log:\ncannot bind: address in use"):
        run.require("failing")


def test_a_sweep_ends_every_process_and_what_they_started(run, until, gone):
    run.start("parent", ["/bin/sh", "-c", "/bin/sleep 1000 & /bin/sleep 1000"])
    until(lambda: len(run.find("parent").children()) == 2)
    family = [run.find("parent"), *run.find("parent").children()]

    runs.sweep(run.folder)

    assert all(gone(process) for process in family)
    assert not run.folder.exists()


def test_a_sweep_leaves_the_processes_of_other_runs_alone(run, tmp_path):
    other = Run(tmp_path / "runs" / "two", tmp_path / "logs")
    other.folder.mkdir()
    other.start("sleeper", ["/bin/sleep", "1000"])

    runs.sweep(run.folder)

    assert other.find("sleeper")
    runs.sweep(other.folder)


def test_a_sweep_undoes_the_latest_first_and_goes_on_when_something_cannot_be_undone(run, tmp_path):
    undone = tmp_path / "undone"
    for word in ("first", "second"):
        run.undo("/bin/sh", "-c", f"echo {word} >>{undone}")
    run.undo("/bin/false")

    runs.sweep(run.folder)

    assert undone.read_text().split() == ["second", "first"]


def test_the_last_sweep_leaves_no_folder_at_all(run):
    runs.sweep(run.folder)

    assert not runs.root().exists()


def test_a_full_disk_is_said_with_the_variable_that_names_another(run):
    with pytest.raises(KubeError, match=r"MiB free, a cluster needs .*; free some \(make kube-down\), or set KUBE_RUNS"):
        run.check_space(2**60)


def test_a_process_is_out_of_reach_of_what_ends_our_terminal(run):
    run.start("sleeper", ["/bin/sleep", "1000"])

    assert os.getsid(run.find("sleeper").pid) == run.find("sleeper").pid


def test_a_process_outlives_who_started_it(run, until):
    code = f"from pathlib import Path; from bidlock_kube.runs import Run; Run(Path({str(run.folder)!r}), Path({str(run.logs)!r})).start('sleeper', ['/bin/sleep', '1000'])"
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))

    assert run.find("sleeper")
