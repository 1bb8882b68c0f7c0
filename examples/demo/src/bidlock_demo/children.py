"""Child processes that never outlive the demo, whichever way it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bidlock.errors import BidlockError

_GUARD = "read -r _; kill -KILL 0"
"""Waits for the end of our pipe, which the kernel closes however we end, then kills its process group: all children and itself."""

Event = Mapping[str, Any]


class ChildFailed(BidlockError):
    """A process of the demo ended by itself with an error."""


class Child:
    """A process of ours that logs JSON lines on its standard output."""

    def __init__(self, process: asyncio.subprocess.Process, on_event: Callable[[Event], None], errors: Path) -> None:
        self._process = process
        self._on_event = on_event
        self._errors = errors
        self.started = False
        """Whether it has said so."""
        self.killed = False

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.killed = True
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM: finish what is underway."""
        self._send(signal.SIGTERM)

    async def wait(self) -> None:
        """Follow its log until it ends.

        Raises:
            ChildFailed: it ended with an error, without being killed by us; with the end of what it said.
        """
        if self._process.stdout is None:
            raise AssertionError("children are started with a pipe")
        async for line in self._process.stdout:
            self._hear(line)
        code = await self._process.wait()
        if code and not self.killed:
            said = self._errors.read_text(errors="replace").strip()[-2000:]
            raise ChildFailed(f"a process of the demo ended with code {code}: {said or 'it said nothing'}")

    def _hear(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:  # cut off by a kill, or not for us
            return
        if event.get("event") == "started":
            self.started = True
        self._on_event(event)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


class Nursery:
    """Starts children in one process group of their own; a Ctrl-C at the terminal reaches the demo, which ends them.

    Args:
        group: The group; its leader is the guard.
        directory: For what children say on standard error.
    """

    def __init__(self, group: int, directory: Path) -> None:
        self._group = group
        self._directory = directory
        self._count = 0

    async def start(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None, on_event: Callable[[Event], None] = lambda _: None
    ) -> Child:
        """Start `python -m module` with these arguments.

        Args:
            module: What to run.
            arguments: Its command line.
            environment: On top of ours, which is passed on without any `BIDLOCK_*`.
            on_event: Called with every JSON line it logs, while `Child.wait` runs.
        """
        self._count += 1
        errors = self._directory / f"{module}-{self._count}.err"
        with errors.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                env={**_neutral(), **(environment or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
                process_group=self._group,
            )
        return Child(process, on_event, errors)


@asynccontextmanager
async def nursery(directory: Path) -> AsyncIterator[Nursery]:
    """A nursery whose children are all gone when it is left; also when this process is killed."""
    guard = await asyncio.create_subprocess_exec("/bin/sh", "-c", _GUARD, stdin=asyncio.subprocess.PIPE, process_group=0)
    try:
        yield Nursery(guard.pid, directory)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(guard.pid, signal.SIGKILL)
        await guard.wait()


async def all_of(waits: Sequence[asyncio.Task[None]]) -> None:
    """Wait for tasks; the first error cancels the others and is raised."""
    try:
        await asyncio.gather(*waits)
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _neutral() -> dict[str, str]:
    """Our environment without the user's own bidlock configuration, which is about another fleet."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
