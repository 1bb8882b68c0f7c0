"""`bidlock-kube up` and `down`: for people, and clear when something is in the way."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bidlock_kube import runs
from bidlock_kube.assets import Assets
from bidlock_kube.controlplane import PROGRAMS
from bidlock_kube.runs import Run

pytestmark = [pytest.mark.slow, pytest.mark.kube]

COMMAND = Path(sys.executable).parent / "bidlock-kube"


def call(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in (COMMAND, *words)], capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder for clusters of these tests alone; taken down at the end."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("up") / "runs"
        patch.setenv("KUBE_RUNS", str(root))
        patch.setenv("KUBECONFIG", "/nowhere")
        yield root
        call("down")


@pytest.fixture
def up(room) -> str:
    """The kubeconfig of a cluster that is up."""
    said = call("up", "--tier", "api")
    assert said.returncode == 0, said.stderr
    return re.fullmatch(r"export KUBECONFIG=(\S+)\n", said.stdout)[1]


def processes(root: Path) -> list[psutil.Process]:
    return [process for process, _ in runs._members(root / "up")]


def test_up_prints_the_kubeconfig_of_a_cluster_that_stays(up):
    kubectl = Assets.of("kubectl")["kubectl"]

    listed = subprocess.run([kubectl, f"--kubeconfig={up}", "get", "namespaces", "-o", "name"], capture_output=True, text=True, check=True)

    assert "namespace/default" in listed.stdout


def test_up_again_is_the_same_cluster(up, room):
    before = {process.pid for process in processes(room)}

    assert call("up", "--tier", "api").stdout == f"export KUBECONFIG={up}\n"

    assert {process.pid for process in processes(room)} == before


def test_down_leaves_no_process_and_no_folder(up, room):
    said = call("down")

    assert said.returncode == 0
    assert not processes(room)
    assert not room.exists()


def test_down_when_nothing_is_up_says_so_and_is_no_error(room):
    call("down")

    said = call("down")

    assert (said.returncode, said.stderr) == (0, "no cluster was up\n")


def test_up_replaces_a_cluster_whose_server_died(up, room):
    Run(room / "up", room / "up" / "log").kill("kube-apiserver")

    assert call("up", "--tier", "api").returncode == 0

    assert len({process.name() for process in processes(room)}) == 3


def test_crashed_servers_come_back_with_all_they_knew(up, room, until):
    kubectl = [Assets.of("kubectl")["kubectl"], f"--kubeconfig={up}"]
    run = Run(room / "up", room / "up" / "log")
    subprocess.run([*kubectl, "create", "namespace", "kept"], check=True, stdout=subprocess.DEVNULL)

    run.restart("etcd")
    run.restart("kube-apiserver")

    until(lambda: subprocess.run([*kubectl, "get", "namespace", "kept"], capture_output=True, check=False).returncode == 0, 120)


def test_a_taken_port_is_said_in_one_line(room):
    call("down")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = call("up", "--tier", "api", "--port", port)

    assert said.returncode == 1
    assert re.fullmatch(rf"bidlock-kube: port {port} of 127\.0\.0\.1 is taken \(.*\); choose another, or none .*\n", said.stderr)
    assert not room.exists()


def test_a_program_that_dies_at_start_is_named_with_the_end_of_its_log(room, tmp_path, monkeypatch):
    call("down")
    for name in PROGRAMS:
        (tmp_path / name).symlink_to(Assets.of(name)[name])
    (tmp_path / "kube-apiserver").unlink()
    (tmp_path / "kube-apiserver").write_text("#!/bin/sh\necho wrong architecture >&2\nexit 1\n")
    (tmp_path / "kube-apiserver").chmod(0o755)
    monkeypatch.setenv("KUBE_ASSETS", str(tmp_path))

    said = call("up", "--tier", "api")

    assert said.returncode == 1
    assert "kube-apiserver died at start; the end of" in said.stderr
    assert said.stderr.endswith("wrong architecture\n")
    assert not room.exists()


def test_a_start_that_is_interrupted_leaves_nothing(room, until):
    call("down")
    starting = subprocess.Popen([COMMAND, "up", "--tier", "api"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: processes(room))

    starting.send_signal(signal.SIGINT)
    starting.communicate()

    assert not processes(room)
    assert not room.exists()
