"""Which file a client works with, and when it must stop trusting it: an older or another file lacks markers."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from bidlock.errors import BackendUnavailable, ConfigurationError, UnfitStore
from bidlock_sqlite import faults, filesystems
from bidlock_sqlite.meta import Meta
from bidlock_sqlite.openfile import OpenFile
from bidlock_sqlite.options import Options

_vanished: dict[Path, str] = {}
"""Files of `self` stores that were deleted or replaced while this process worked with them, and what to tell about it."""


class Database:
    """The file, opened when it is needed and closed when it cannot be trusted.

    Args:
        options: Which file, and how.
        may_create: Whether a missing file is an empty store (`self`) or a fault (managed).
    """

    def __init__(self, options: Options, *, may_create: bool) -> None:
        self.domain = ""
        """Identity of the store this client first worked with; one without a domain in its tickets keeps to it."""
        self._options = options
        self._path = options.path
        self._may_create = may_create
        self._file: OpenFile | None = None
        self._newest = 0

    def connect(self, *, create: bool = False) -> OpenFile | None:
        """Open the file unless it is open.

        Returns:
            None for a store that does not exist yet.

        Raises:
            ConfigurationError: the file can never work.
            BackendUnavailable: not now, or not before a human looked.
            sqlite3.Error: somebody else keeps it locked.
        """
        if self._file:
            return self._file
        if reason := _vanished.get(self._path):
            raise BackendUnavailable(reason)
        _check_place(self._path)
        if not (create or self._path.exists()):
            if self._may_create:
                return None
            raise BackendUnavailable(f"{self._path} does not exist, and only the operator or `bidlock migrate` creates a managed store")
        try:
            self._file = OpenFile(self._options, "rwc" if create and self._may_create else "rw")
        except sqlite3.Error as error:
            if faults.busy(error):
                raise
            raise faults.at_open(error, self._path) from error
        return self._file

    def close(self) -> None:
        """Give the file up, until it is needed again."""
        file, self._file = self._file, None
        if file:
            file.close()

    def saw(self, meta: Meta | None) -> None:
        """Compare the store with what it was before.

        Raises:
            BackendUnavailable: it lost its meta, became another store, or its counter went back.
        """
        if meta is None:
            if self.domain and self._may_create:
                raise self.lost("lost everything that bidlock wrote into it")
        elif self.domain in {"", meta.domain}:
            if meta.counter < self._newest:
                raise self.lost("is an older copy of the store: its counter went back")
            self.domain = meta.domain
            self._newest = meta.counter
        elif self._may_create:
            raise self.lost("became another store")

    def counted(self, domain: str, counter: int) -> None:
        """Remember the counter after a commit; it only ever grows."""
        if domain == self.domain:
            self._newest = counter

    def moved(self) -> BackendUnavailable:
        """What to raise when the path leads elsewhere."""
        return self.lost("was deleted or replaced while this process worked with it")

    def lost(self, what: str) -> BackendUnavailable:
        """What to raise for a file that lacks markers. A `self` store stays lost until the process is started anew."""
        self.close()
        reason = (
            f"{self._path} {what}, so postings that were bid on may be missing in it. Nothing more is locked here: "
            "bring the right file back, with its -wal, then restart this process"
        )
        if self._may_create:
            _vanished[self._path] = reason
        return BackendUnavailable(reason)


def _check_place(path: Path) -> None:
    directory, mounts = str(path.parent), filesystems.mount_table()
    if reason := filesystems.refusal(directory, mounts) or filesystems.shared(path, mounts):
        raise UnfitStore(reason, reason="UnsafeFilesystem")
    if not path.parent.is_dir():
        raise ConfigurationError(f"the directory {directory} does not exist; create it first")
    if path.is_dir():
        raise ConfigurationError(f"{path} is a directory; name a file in it")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{directory} cannot be written, and SQLite keeps its log beside the file; check its rights")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise ConfigurationError(f"{path} cannot be written; check its rights and whether the disk is mounted read-only")
