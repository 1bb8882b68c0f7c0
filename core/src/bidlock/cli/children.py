"""Run a command as a child: signals are forwarded to it, and it can be ended in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from bidlock.cli.exit_codes import ExitCode, of_process
from bidlock.cli.failures import say
from bidlock.leases import Lease

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FORWARDED = (*ENDING, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)

_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


class Stopped(Exception):
    """A signal came while there was no child to forward it to."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"stopped by {signal.Signals(number).name}")


class Signals:
    """While entered, signals go to the child; without one, the ending ones cancel the task that waits for the lock."""

    def __init__(self) -> None:
        self.child: Child | None = None
        self._received = 0
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        for number in FORWARDED:
            asyncio.get_running_loop().add_signal_handler(number, self._receive, number)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number in FORWARDED:
            asyncio.get_running_loop().remove_signal_handler(number)
        if self._received and isinstance(error, asyncio.CancelledError):
            raise Stopped(self._received) from None

    def _receive(self, number: int) -> None:
        if self.child is not None:
            self.child.deliver(number)
        elif number in ENDING and self._task is not None:
            self._received = number
            self._task.cancel()


class Child:
    """A running command.

    On a terminal it shares our process group, so that it can read what is typed; elsewhere it gets its own, so that a
    signal reaches everything it started.
    """

    def __init__(self, process: asyncio.subprocess.Process, *, own_group: bool) -> None:
        self._process = process
        self._own_group = own_group

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start it with our stdin, stdout and stderr.

        Raises:
            OSError: it could not be started.
        """
        own_group = not os.isatty(0)
        group = 0 if own_group else None
        return cls(await asyncio.create_subprocess_exec(*command, env=dict(environment), process_group=group), own_group=own_group)

    def deliver(self, number: int) -> None:
        """Send it a signal; one that the terminal sends to the whole group anyway is not sent twice."""
        if not self._own_group and number in _FROM_TERMINAL:
            return
        self._send(number)

    async def wait(self) -> int:
        """Its exit code, 128 + n when signal n ended it."""
        return of_process(await self._process.wait())

    async def end(self, grace: float) -> None:
        """SIGTERM, and after `grace` seconds SIGKILL for whatever is left of it."""
        self._send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._process.wait()
        self._send(signal.SIGKILL)
        await self._process.wait()

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._own_group:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


def missing(command: Sequence[str]) -> int:
    """0 when the command can be found, else the exit code that says it cannot; asked before anything is locked."""
    if shutil.which(command[0]) is not None:
        return ExitCode.OK
    say(f"the command {command[0]!r} was not found, or is not executable; nothing was locked")
    return ExitCode.NOT_FOUND


def environment_of(lease: Lease) -> dict[str, str]:
    """Our environment, and what the child may want to know about its lease."""
    return {
        **os.environ,
        "BIDLOCK_TOKEN": str(lease.token),
        "BIDLOCK_NONCE": lease.nonce,
        "BIDLOCK_MARKETPLACE": lease.posting.marketplace,
        "BIDLOCK_POSTING": lease.posting.id,
    }
