"""Processes that never outlive the soak, whichever way it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_GUARD = "read -r _; kill -KILL 0"
"""Waits for the end of our pipe, which the kernel closes however we end, then kills its process group: all children and itself."""


class Child:
    """A process of ours.

    Attributes:
        name: As its journal is called.
        process: The process.
        errors: What it says.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.name = name
        self.process = process
        self.errors = errors

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def send(self, number: int) -> None:
        """A signal, if it still runs."""
        self.process.send_signal(number)

    def said(self) -> str:
        """The end of what it said."""
        return self.errors.read_text(errors="replace").strip()[-2000:]


class Nursery:
    """Starts children in one process group, whose leader is the guard."""

    def __init__(self, group: int, folder: Path) -> None:
        self._group = group
        self._folder = folder

    def journal(self, name: str) -> Path:
        """Where a process writes what it does."""
        return self._folder / f"{name}.jsonl"

    def start(self, name: str, *command: str, environment: Mapping[str, str]) -> Child:
        """Start a program of Python's: `-m module arguments`.

        Args:
            name: Which the journal, if it writes one, has too.
            *command: After `python`.
            environment: On top of ours without any `BIDLOCK_*`.
        """
        errors = self._folder / f"{name}.err"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command],
                env={**neutral(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                process_group=self._group,
            )
        return Child(name, process, errors)


@contextlib.contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery whose children are all gone when it is left; also when this process is killed."""
    guard = subprocess.Popen(["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE, process_group=0)
    try:
        yield Nursery(guard.pid, folder)
    finally:
        os.killpg(guard.pid, signal.SIGKILL)
        guard.communicate()


def neutral() -> dict[str, str]:
    """Our environment without the user's own bidlock configuration, and with this package on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))}
