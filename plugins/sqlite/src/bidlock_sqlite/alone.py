"""One transaction on a connection of its own: what controllers do is rare, and must leave nothing open behind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from bidlock.errors import BackendAmbiguous, BackendUnavailable, ConfigurationError, UnfitStore
from bidlock_sqlite import faults
from bidlock_sqlite.database import Database
from bidlock_sqlite.openfile import Moved, OpenFile
from bidlock_sqlite.options import Options

T = TypeVar("T")
_PAUSE = 0.005
_MISSING = "{path} does not exist; bring the file back (a file that is new must be there, empty, before an agent serves it)"


def run(
    options: Options, step: Callable[[OpenFile | None], T], *, writes: bool = True, may_create: bool = True, creates: bool = False
) -> T:
    """What `step` returns, after COMMIT. It is given None for a file that does not exist.

    Args:
        options: Which file, how to write, and how long to wait for a stranger's lock.
        step: What to do between BEGIN and COMMIT.
        writes: Whether to begin with the right to write.
        may_create: Whether a missing file is an empty store, not a fault.
        creates: Whether to make a missing file; only if it `may_create`.

    Raises:
        BackendUnavailable: nothing happened.
        BackendAmbiguous: the COMMIT failed.
        ConfigurationError: the file can never work.
    """
    if not (may_create or options.path.exists()):
        raise BackendUnavailable(_MISSING.format(path=options.path))
    database = Database(options, may_create=may_create)
    deadline = time.monotonic() + options.busy_timeout
    try:
        file = _patiently(lambda: database.connect(create=creates), options, deadline)
        return step(None) if file is None else _transact(file, step, options, deadline, "IMMEDIATE" if writes else "DEFERRED")
    except Moved as error:
        raise BackendUnavailable(f"{options.path} was replaced at this very moment; look again") from error
    except sqlite3.Error as error:
        raise BackendUnavailable(faults.describe(error, options.path)) from error
    finally:
        database.close()


def later(step: Callable[[], T]) -> T:
    """What `step` returns, for a caller that looked at the file before: what cannot work now may work again.

    Raises:
        UnfitStore: the file lies where no lock can be trusted.
        BackendError: see `run`.
    """
    try:
        return step()
    except UnfitStore:
        raise
    except ConfigurationError as error:
        raise BackendUnavailable(str(error)) from error


def _transact(file: OpenFile, step: Callable[[OpenFile], T], options: Options, deadline: float, kind: str) -> T:
    _patiently(lambda: file.begin(kind) or None, options, deadline, none_is_busy=True)
    result = step(file)
    try:
        file.commit()
    except sqlite3.Error as error:
        if faults.full(error):
            raise
        raise BackendAmbiguous(faults.describe(error, options.path)) from error
    except Moved as error:
        raise BackendAmbiguous(f"{options.path} was replaced while it was written; look again") from error
    return result


def _patiently(attempt: Callable[[], T | None], options: Options, deadline: float, *, none_is_busy: bool = False) -> T | None:
    while True:
        try:
            result = attempt()
            if result is not None or not none_is_busy:
                return result
        except sqlite3.Error as error:
            if not faults.busy(error):
                raise
        if time.monotonic() >= deadline:
            raise BackendUnavailable(f"{options.path} is kept locked by another program; find it with `fuser {options.path}`")
        time.sleep(_PAUSE)
