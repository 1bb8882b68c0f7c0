"""What SQLite's errors mean, and what a human can do about them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bidlock.errors import BackendUnavailable, ConfigurationError

_REMEDIES = {
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "is damaged; stop the bots, keep a copy, and recover it with sqlite3's .recover before anybody bids again",
    sqlite3.SQLITE_READONLY: "cannot be written; check the rights of the file and its directory, and whether the disk is mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its directory exists and may be written",
    sqlite3.SQLITE_PERM: "may not be used by this user; check the rights of the file and its directory",
    sqlite3.SQLITE_FULL: "is on a full disk; make room (nothing was changed)",
    sqlite3.SQLITE_IOERR: "met an input/output error; check the disk",
    sqlite3.SQLITE_BUSY: "is kept locked by another program",
    sqlite3.SQLITE_NOMEM: "ran out of memory",
}
_PERMANENT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_OF_ONE_OPERATION = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error that Python's own layer raised."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the file's lock."""
    return code(error) == sqlite3.SQLITE_BUSY


def full(error: sqlite3.Error) -> bool:
    """Whether the disk is full: SQLite then wrote no commit, and a rollback is certain."""
    return code(error) == sqlite3.SQLITE_FULL


def of_one_operation(error: Exception) -> bool:
    """Whether the others of a batch may still succeed: nothing is wrong with the file or the disk."""
    return not isinstance(error, sqlite3.Error) or code(error) in _OF_ONE_OPERATION | {0}


def moved(error: sqlite3.Error) -> bool:
    """Whether SQLite itself noticed that its file is no longer where it was."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED


def describe(error: sqlite3.Error, path: Path) -> str:
    """One sentence for a human, with the remedy."""
    remedy = _REMEDIES.get(code(error), "cannot be used")
    return f"{path} {remedy} ({getattr(error, 'sqlite_errorname', type(error).__name__)}: {error})"


def at_open(error: sqlite3.Error, path: Path) -> BackendUnavailable | ConfigurationError:
    """The typed error for a file that could not be opened."""
    kind = ConfigurationError if code(error) in _PERMANENT else BackendUnavailable
    return kind(describe(error, path))
