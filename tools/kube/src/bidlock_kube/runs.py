"""The folder of one cluster, the processes that belong to it, and the way to be rid of both.

A process says itself which run it belongs to: by a variable in its environment, which the kernel keeps for as long as
the process lives. So there is no list of process ids that could be lost, be late, or name somebody else by now, and
whoever finds a run's folder can end all of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bidlock_kube.errors import KubeError

RUN_VARIABLE = "BIDLOCK_KUBE_RUN"
NAME_VARIABLE = "BIDLOCK_KUBE_PROCESS"

ROOT_VARIABLE = "KUBE_RUNS"
"""Names a folder for what clusters write while they run."""

NEEDED_BYTES = 512 * 2**20
"""Free space that a control plane takes at most, in a run of many tests."""

GONE_SECONDS = 10.0
"""How long a killed process may take to be gone."""

_LOG_LINES = 8


def root() -> Path:
    """Where this user's runs are: in memory if there is enough. etcd and containers write much that nobody wants to keep."""
    if given := os.environ.get(ROOT_VARIABLE):
        return Path(given).absolute()
    memory = Path("/dev/shm")  # noqa: S108 — the folder in it has our name and is ours alone
    # A container has 64 MiB there by default; as much as etcd takes for its first file.
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).total > 4 * NEEDED_BYTES
    return (memory if roomy else Path(tempfile.gettempdir())) / f"bidlock-kube-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Run:
    """One cluster's folder.

    Attributes:
        folder: Holds all that the cluster writes but its logs; removed by `sweep`.
        logs: One file per process; kept.
    """

    folder: Path
    logs: Path

    def check_space(self, needed: int = NEEDED_BYTES) -> None:
        """Check that the folder has room.

        Raises:
            KubeError: it has not.
        """
        if (free := shutil.disk_usage(self.folder).free) < needed:
            raise KubeError(
                f"{root()} has {free >> 20} MiB free, a cluster needs {needed >> 20}; free some (make kube-down), or set {ROOT_VARIABLE} to a folder elsewhere"
            )

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a process that outlives this one, in a session of its own, in the run's folder; its output goes to its log."""
        self.logs.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        ours = {**os.environ, **(environment or {}), RUN_VARIABLE: str(self.folder), NAME_VARIABLE: name}
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                words, cwd=self.folder, env=ours, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        while child.poll() is None and not self.find(name):
            time.sleep(0.001)  # the kernel shows a new environment a moment after it lets the program start
        child.returncode = 0  # it may outlive us; left unset, the object's destructor warns about that

    def log(self, name: str) -> Path:
        """Where a process writes its output."""
        return self.logs / f"{name}.log"

    def find(self, name: str) -> psutil.Process | None:
        """The process of this name; None when it does not run."""
        return next((process for process, said in _members(self.folder) if said.get(NAME_VARIABLE) == name), None)

    def kill(self, name: str) -> None:
        """End a process (SIGKILL) and return when it is gone, so that its port is free. Nothing happens when it does not run."""
        if process := self.find(name):
            _end([process])

    def restart(self, name: str) -> None:
        """Crash a process and start it again with the same command, however it was started.

        Raises:
            KubeError: it does not run.
        """
        if not (process := self.find(name)):
            raise KubeError(f"{name} does not run, so it cannot be restarted; see {self.log(name)}")
        command = process.cmdline()
        _end([process])
        self.start(name, command)

    def require(self, *names: str) -> None:
        """Check that these processes run.

        Raises:
            KubeError: one does not; the message ends with the end of its log.
        """
        running = {said.get(NAME_VARIABLE) for _, said in _members(self.folder)}
        for name in names:
            if name not in running:
                raise KubeError(f"{name} died at start; the end of {self.log(name)}:\n{self._end_of_log(name)}")

    def _end_of_log(self, name: str) -> str:
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:]) if log.exists() else "(no log)"

    def undo(self, *command: str | Path) -> None:
        """Have `sweep` run this command, the latest first. Call it before doing what it undoes: a kill may come in between."""
        with (self.folder / "undo").open("a") as journal:
            journal.write(json.dumps([str(word) for word in command]) + "\n")


def sweep(folder: Path) -> None:
    """End every process of a run, undo what it did to the machine, remove its folder. Nothing happens when there is none."""
    _end([process for process, _ in _members(folder)])
    for command in reversed(_journal(folder)):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, root()):
        with contextlib.suppress(OSError):  # others are in there, or it is gone
            parent.rmdir()


def _journal(folder: Path) -> list[list[str]]:
    journal = folder / "undo"
    return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []


def _members(folder: Path) -> Iterator[tuple[psutil.Process, Mapping[str, str]]]:
    """Every process of a run but this one, with its environment. A dead one that nobody reaped has none, so it does not count."""
    for process in psutil.process_iter():
        try:
            said = process.environ()
        except (psutil.Error, OSError):
            continue  # somebody else's, or gone
        if said.get(RUN_VARIABLE) == str(folder) and process.pid != os.getpid():
            yield process, said


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + GONE_SECONDS
    while remaining := [process for process in processes if _alive(process)]:
        if time.monotonic() > deadline:
            raise KubeError(f"killed, but not gone after {GONE_SECONDS:.0f} s: {', '.join(map(str, remaining))}")
        time.sleep(0.01)


def _alive(process: psutil.Process) -> bool:
    """Whether it runs; reaps it if it is our child. A zombie of another process holds no port and no file."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
