"""What the exit codes of `bidlock` mean: the one table, shown by `--help` and in the reference."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Codes that mean the same in every command."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_ACQUIRED = 3
    UNREACHABLE = 4
    CONFIGURATION = 5
    LOST = 6
    UNHEALTHY = 7
    NOT_STARTED = 126
    NOT_FOUND = 127


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done; with once and hold: the command ended with 0",
    ExitCode.UNEXPECTED: "something unexpected, probably a bug (BIDLOCK_DEBUG=1 shows where)",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.NOT_ACQUIRED: "skipped or not acquired; the reason is on stderr",
    ExitCode.UNREACHABLE: "the store was not reached, or its answer was lost",
    ExitCode.CONFIGURATION: "the configuration cannot work; the message says what to change",
    ExitCode.LOST: "the lease was lost while the command ran",
    ExitCode.UNHEALTHY: "doctor reached the store, but this client cannot bid in it; or a migration was refused or halted",
    ExitCode.NOT_STARTED: "the command exists but could not be started",
    ExitCode.NOT_FOUND: "the command was not found; nothing was locked",
}

SIGNAL_BASE = 128
"""A command ended by signal n makes `bidlock` exit with 128 + n, as a shell does."""


def of_process(returncode: int) -> int:
    """The exit code to pass on for a child's return code (negative: ended by that signal)."""
    return SIGNAL_BASE - returncode if returncode < 0 else returncode


def epilog(*, drawn: bool) -> str:
    """The table as text for `--help`; `drawn` when rich lays it out, which joins the lines of a paragraph."""
    lines = [f"{code:>5}  {meaning}" for code, meaning in MEANINGS.items()]
    lines.append("128+n  the command was ended by signal n; any other code is the command's own")
    return "\n\n".join(["Exit codes:", *lines]) if drawn else "\b\n" + "\n".join(["Exit codes:", *lines])
