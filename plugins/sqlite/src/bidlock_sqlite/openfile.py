"""The one connection to the file, and the proof that it still is the file everybody else sees."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock_sqlite import faults
from bidlock_sqlite.options import Options
from bidlock_sqlite.statements import SQL

_ORIGINAL_COLUMNS = frozenset({"id", "lock_key", "holder_id", "acquired_at", "expires_at", "created_at"})


class Moved(Exception):
    """The path leads to another file, or to none."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """Device and inode of the file, of its write-ahead log and of that log's index, where the locks are; None for what is not there."""

    file: tuple[int, int] | None
    log: tuple[int, int] | None
    index: tuple[int, int] | None


class OpenFile:
    """An open store file, for one thread at a time.

    Args:
        options: Which file, and how.
        mode: SQLite's: `rw`, or `rwc` to make a missing one.

    Raises:
        sqlite3.Error: it cannot be opened, or not now: connections that open it at one moment lock each other out.
        ConfigurationError: it cannot keep a write-ahead log.
        BackendUnavailable: it was replaced just now.
    """

    def __init__(self, options: Options, mode: str) -> None:
        self._path = options.path
        self._ready = self._closed = False
        # Waiting for locks is done between transactions, by `commits`, so that a fork never waits for it.
        uri = f"{options.path.as_uri()}?mode={mode}"
        before = _inode(options.path)
        self._connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        self.cursor = self._connection.cursor()
        """The one cursor that every step uses, one after the other."""
        try:
            self._prepare(options)
        except (sqlite3.Error, ConfigurationError):
            self._connection.close()
            raise
        self._identity = self._look()
        if before not in (None, self._identity.file):  # what was opened may be either
            self._connection.close()
            raise BackendUnavailable(f"{self._path} was replaced while it was opened; it is opened anew at the next try")

    def _prepare(self, options: Options) -> None:
        run = self.cursor.execute
        (journal,) = run("PRAGMA journal_mode = WAL").fetchone()
        if journal != "wal":
            raise ConfigurationError(f"{self._path} cannot keep a write-ahead log (its journal mode is {journal}); use a local disk")
        run(f"PRAGMA synchronous = {options.synchronous}")
        run("SELECT count(*) FROM sqlite_master").fetchone()  # reads the first page, and makes the log

    def ready(self) -> bool:
        """Whether the tables are there.

        Raises:
            BackendUnavailable: the table that should be the original bot's is something else.
        """
        if not self._ready:
            self._ready = self.cursor.execute(SQL["has_table"], ("bidlock_meta",)).fetchone() is not None
            present = {row[1] for row in self.cursor.execute("PRAGMA table_info(distributed_locks)")}
            if present and (missing := _ORIGINAL_COLUMNS - present):
                raise BackendUnavailable(
                    f"the table distributed_locks in {self._path} lacks {', '.join(sorted(missing))}: "
                    "it is not the original bot's; name another file"
                )
        return self._ready

    def begin(self, kind: str) -> bool:
        """Begin a transaction; False when somebody else holds the lock.

        Raises:
            Moved: a lock on this file excludes nobody any more.
        """
        try:
            self.cursor.execute(f"BEGIN {kind}")
        except sqlite3.Error as error:
            if faults.busy(error):
                return False
            self.verify()
            raise
        self.verify()
        return True

    def commit(self) -> None:
        """Make the transaction durable, in the file that everybody else sees.

        Raises:
            Moved: it was written where nobody looks.
        """
        self.cursor.execute("COMMIT")
        self.verify()

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        if not self._closed and self._connection.in_transaction:
            self.cursor.execute("ROLLBACK")

    def close(self) -> None:
        """Give the connection up. An open transaction is undone. Idempotent."""
        self._closed = True
        self._connection.close()

    def verify(self) -> None:
        """Whether the path still leads to this file.

        Raises:
            Moved: it does not.
        """
        if self._identity != self._look():
            raise Moved

    def _look(self) -> _Identity:
        return _Identity(_inode(self._path), _inode(Path(f"{self._path}-wal")), _inode(Path(f"{self._path}-shm")))


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
