"""Turn an exception into an exit code and one line that says what to do."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Mapping

from bidlock import errors
from bidlock.cli.exit_codes import ExitCode
from bidlock.outcomes import SkipReason

DEBUG_VARIABLE = "BIDLOCK_DEBUG"
"""When set to `1`, the traceback of an error is shown, too."""

_CREDENTIALS = re.compile(r"(://[^\s/@:]*):[^\s/@]*@")

_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (errors.InvalidPosting, ExitCode.USAGE),
    (errors.NotAcquired, ExitCode.NOT_ACQUIRED),
    (errors.LeaseLost, ExitCode.LOST),
    (errors.BackendError, ExitCode.UNREACHABLE),
    (errors.ConfigurationError, ExitCode.CONFIGURATION),
)


def exit_code(error: BaseException) -> ExitCode:
    """The exit code that stands for an exception."""
    if isinstance(error, errors.NotAcquired) and error.reason == SkipReason.UNREACHABLE:
        return ExitCode.UNREACHABLE
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNEXPECTED)


def sentence(error: BaseException) -> str:
    """One line for a human: what happened and what to do; never a password."""
    text = " ".join(str(error).split()) or type(error).__name__
    code = exit_code(error)
    if code is ExitCode.UNEXPECTED:
        text = f"unexpected {type(error).__name__}: {text}; set {DEBUG_VARIABLE}=1 to see where"
    if code is ExitCode.UNREACHABLE:
        text = f"{text.rstrip('.')}; is the store running, and is BIDLOCK_URL right? `bidlock doctor` tells more"
    return redacted(text)


def redacted(text: str) -> str:
    """The text with the password of any URL in it replaced."""
    return _CREDENTIALS.sub(r"\1:***@", text)


def say(text: str) -> None:
    """Write one line to stderr."""
    print(f"bidlock: {text}", file=sys.stderr)  # noqa: T201 — the one place where errors are printed


def report(error: BaseException, environment: Mapping[str, str] = os.environ) -> int:
    """Print the error; return the exit code."""
    if environment.get(DEBUG_VARIABLE) == "1":
        sys.stderr.write(redacted("".join(traceback.format_exception(error))))
    say(sentence(error))
    return exit_code(error)
