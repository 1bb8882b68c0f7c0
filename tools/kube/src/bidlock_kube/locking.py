"""A file that one process holds at a time; the kernel lets go of it however that process ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]
"""Takes one line for a human."""

REMIND_SECONDS = 10.0
"""How often somebody who waits is told so."""


@contextmanager
def held(path: Path, *, waiting_for: str, say: Say) -> Iterator[None]:
    """Hold the lock on `path`; say so when another process has to end first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        _acquire(file.fileno(), waiting_for, say)
        yield


def _acquire(descriptor: int, waiting_for: str, say: Say) -> None:
    began = time.monotonic()
    said = began - REMIND_SECONDS
    while not _try(descriptor):
        if time.monotonic() - said >= REMIND_SECONDS:
            said = time.monotonic()
            say(f"another process is {waiting_for}; waiting for it … {said - began:.0f} s")
        time.sleep(0.1)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
