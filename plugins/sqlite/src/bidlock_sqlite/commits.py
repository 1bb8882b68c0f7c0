"""From waiting operations to one durable transaction, and from whatever fails to the right error for each.

Operations run bare, one after the other. Should one of them raise for a reason of its own, the transaction is undone and
run again with a savepoint around each, so that it harms no other. Nothing of the first run was kept or answered, so that
equals savepoints from the start, at a fraction of the price.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress

from bidlock.backend import SELF, BackendConfig
from bidlock.errors import BackendAmbiguous, BackendUnavailable, BidlockError, ConfigurationError
from bidlock_sqlite import faults
from bidlock_sqlite.database import Database
from bidlock_sqlite.meta import Client
from bidlock_sqlite.openfile import Moved, OpenFile
from bidlock_sqlite.operations import Operation
from bidlock_sqlite.options import Options
from bidlock_sqlite.transaction import Transaction

PURGE_EVERY = 60.0
"""How often a client deletes what crashed ones left behind, seconds."""

_LONGEST_PAUSE = 0.004


class _NotAlone(Exception):
    """An operation failed for a reason of its own."""


class Commits:
    """Serves batches, on one thread.

    Args:
        config: Of the backend.
        options: From the URL.
        tell: Called after COMMIT with the digests of the postings that became free.
    """

    def __init__(self, config: BackendConfig, options: Options, tell: Callable[[Sequence[int]], None]) -> None:
        self.database = Database(options, may_create=config.owner == SELF)
        self.gate = threading.Lock()
        """Whoever has it may touch the file; it is free between two transactions."""
        self.transactions = 0
        """How many were committed."""
        self.refused = 0
        """How often somebody else held the file's lock."""
        self._config = config
        self._options = options
        self._tell = tell
        self._purge_at = 0.0

    def serve(self, batch: list[Operation]) -> None:
        """Settle every operation: those that only read first, for they need not wait for a lock."""
        for reads in (True, False):
            waiting = [operation for operation in batch if operation.reads is reads]
            if waiting:
                self._settle(waiting, self._read if reads else self._write)

    def close(self) -> None:
        """Close the file."""
        with self.gate:
            self.database.close()

    def _settle(self, waiting: list[Operation], attempt: Callable[[list[Operation], bool], bool]) -> None:
        alone = False
        pause = 0.0002
        while waiting:
            try:
                with self.gate:
                    if attempt(waiting, alone):
                        return
            except _NotAlone:
                alone = True
                continue
            except Moved:
                self._fail(waiting, self.database.moved())
                return
            except (BidlockError, sqlite3.Error) as error:
                if not _busy(error):
                    self._fail(waiting, error)
                    return
            self.refused += 1
            waiting = self._patient(waiting)
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _patient(self, waiting: list[Operation]) -> list[Operation]:
        now = time.monotonic()
        for operation in waiting:
            if operation.deadline <= now:
                operation.give_up(self._options.path)
        return [operation for operation in waiting if not operation.settled]

    def _fail(self, waiting: Iterable[Operation], error: BidlockError | sqlite3.Error) -> None:
        if isinstance(error, sqlite3.Error):
            if not faults.full(error):
                self.close()  # whatever it was, a new connection may not have it
            error = faults.at_open(error, self._options.path)
        for operation in waiting:
            kind = BackendUnavailable if isinstance(error, ConfigurationError) and not operation.opens else type(error)
            operation.fail(kind(str(error)))

    def _read(self, waiting: list[Operation], alone: bool) -> bool:
        file = self.database.connect()
        if file is None:
            return self._on_nothing(waiting)
        try:
            if not file.begin("DEFERRED"):
                return False
            self._run(self._transaction(file), waiting, file.cursor if alone else None)
        finally:
            file.rollback()
        return _settled(waiting)

    def _write(self, waiting: list[Operation], alone: bool) -> bool:
        file = self.database.connect(create=any(operation.creates for operation in waiting))
        if file is None:
            return self._on_nothing(waiting)
        if not file.begin("IMMEDIATE"):
            return False
        try:
            transaction = self._transaction(file)
            self._run(transaction, waiting, file.cursor if alone else None)
            self._purge(transaction)
            transaction.flush()
        except BaseException:
            file.rollback()
            raise
        self._commit(file)
        if transaction.meta:
            self.database.counted(transaction.meta.domain, transaction.counter)
        if transaction.freed:
            self._tell(transaction.freed)
        return _settled(waiting)

    def _on_nothing(self, waiting: list[Operation]) -> bool:
        """The file does not exist yet; no step but reading the clock touches a store without tables."""
        self.database.saw(None)
        with closing(sqlite3.connect(":memory:")) as nothing:
            self._run(Transaction(nothing.cursor(), self._client(), ready=False), waiting, None)
        return _settled(waiting)

    def _transaction(self, file: OpenFile) -> Transaction:
        transaction = Transaction(file.cursor, self._client(), ready=file.ready())
        self.database.saw(transaction.meta)
        return transaction

    def _client(self) -> Client:
        return Client(self._config.owner, self._config.buckets, self.database.domain)

    def _run(self, transaction: Transaction, waiting: Iterable[Operation], alone: sqlite3.Cursor | None) -> None:
        if alone:
            for operation in waiting:
                self._run_alone(transaction, operation, alone)
            return
        try:
            for operation in waiting:
                operation.result = operation.run(transaction)
        except Exception as error:
            if faults.of_one_operation(error):
                raise _NotAlone from error
            raise

    def _run_alone(self, transaction: Transaction, operation: Operation, cursor: sqlite3.Cursor) -> None:
        cursor.execute("SAVEPOINT operation")
        freed = len(transaction.freed)
        try:
            operation.result = operation.run(transaction)
        except Exception as error:
            if not faults.of_one_operation(error):
                raise
            cursor.execute("ROLLBACK TO operation")
            del transaction.freed[freed:]
            operation.error = self._of_one(error)
        cursor.execute("RELEASE operation")

    def _of_one(self, error: Exception) -> Exception:
        if isinstance(error, sqlite3.Error):
            return BackendUnavailable(faults.describe(error, self._options.path))
        return error

    def _purge(self, transaction: Transaction) -> None:
        if time.monotonic() >= self._purge_at:
            self._purge_at = time.monotonic() + PURGE_EVERY
            transaction.purge()

    def _commit(self, file: OpenFile) -> None:
        try:
            file.commit()
        except Moved as error:
            raise BackendAmbiguous(str(self.database.moved())) from error
        except sqlite3.Error as error:
            text = faults.describe(error, self._options.path)
            if faults.full(error) and _undone(file):
                raise BackendUnavailable(text) from error
            self.database.close()
            raise BackendAmbiguous(text) from error
        self.transactions += 1


def _busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and faults.busy(error)


def _undone(file: OpenFile) -> bool:
    # A full disk cuts the log off before its commit record, so that undoing is certain.
    with suppress(sqlite3.Error):
        file.rollback()
        return True
    return False


def _settled(waiting: Iterable[Operation]) -> bool:
    for operation in waiting:
        operation.settled = True
    return True
