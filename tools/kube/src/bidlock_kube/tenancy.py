"""A cluster lives as long as somebody uses it, whatever becomes of them.

Every process that uses a run holds a shared lock on its file `users`. A guardian, a process in a session of its own, waits
for the exclusive lock: it gets it when the kernel has taken the last shared one away, which also happens when a
process is killed, and sweeps the run. Should the guardian have been killed, too, the next one that joins any run sweeps.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bidlock_kube import runs
from bidlock_kube.runs import Run

_GUARDIAN = "guardian"


def folder(name: str) -> Path:
    """Where the run of this name is, which everybody shares who knows the name."""
    return runs.root() / "runs" / name


@contextmanager
def joined(run: Run) -> Iterator[None]:
    """Use a run; when the last user is gone, so is the run."""
    sweep_unused()
    users = _enter(run.folder)
    try:
        if not run.find(_GUARDIAN):
            run.start(_GUARDIAN, [sys.executable, "-m", __name__, run.folder])
        yield
    finally:
        users.close()
        _leave(run.folder)


def sweep_unused() -> None:
    """Remove runs whose users were killed together with their guardian."""
    for left in (runs.root() / "runs").glob("*"):
        _sweep_if_unused(left)


def _enter(run: Path) -> IO[str]:
    while True:
        with contextlib.suppress(FileNotFoundError):  # somebody swept another run and took the empty folder above
            run.mkdir(parents=True, exist_ok=True, mode=0o700)
        if users := _open(run):
            fcntl.flock(users, fcntl.LOCK_SH)
            if _is_current(users, run):
                return users
            users.close()


def _open(run: Path) -> IO[str] | None:
    try:
        return (run / "users").open("a")
    except FileNotFoundError:
        return None  # swept since


def _is_current(users: IO[str], run: Path) -> bool:
    """Whether the locked file is still the one in the folder, which may have been swept while we waited."""
    try:
        return os.path.samestat(os.fstat(users.fileno()), (run / "users").stat())
    except FileNotFoundError:
        return False


def _leave(run: Path) -> None:
    """Sweep if nobody else uses it; if somebody sweeps already, return when that is done."""
    while run.exists() and not _sweep_if_unused(run):
        if _used(run):
            return
        time.sleep(0.01)


def _sweep_if_unused(run: Path) -> bool:
    return _locked(run, fcntl.LOCK_EX | fcntl.LOCK_NB, sweep=True)


def _used(run: Path) -> bool:
    return _locked(run, fcntl.LOCK_SH | fcntl.LOCK_NB, sweep=False)


def _locked(run: Path, how: int, *, sweep: bool) -> bool:
    """Take the lock, sweep if wanted, and let go; False when the lock is not to be had."""
    if not (users := _open(run)):
        return False
    with users:
        try:
            fcntl.flock(users, how)
        except BlockingIOError:
            return False
        if sweep and _is_current(users, run):
            runs.sweep(run)
        return True


if __name__ == "__main__":
    _locked(Path(sys.argv[1]), fcntl.LOCK_EX, sweep=True)
