"""The queue between an event loop and the one thread that works with the file."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

import structlog

from bidlock.backend import BackendConfig
from bidlock.errors import BackendAmbiguous
from bidlock_sqlite import forks
from bidlock_sqlite.commits import Commits
from bidlock_sqlite.operations import Operation, deliver
from bidlock_sqlite.options import Options
from bidlock_sqlite.transaction import Transaction

_Queue: TypeAlias = "queue.SimpleQueue[list[Operation] | Callable[[], object]]"
"""Of batches, and at last of what to call when everything is closed."""

log = structlog.stdlib.get_logger("bidlock.sqlite")


class Writer:
    """Takes operations from the loop, serves all that wait as one batch, and brings the answers back.

    Args:
        config: Of the backend.
        options: From the URL.
        tell: Called in the thread, after COMMIT, with the digests of the postings that became free.
    """

    def __init__(self, config: BackendConfig, options: Options, tell: Callable[[Sequence[int]], None]) -> None:
        self.commits = Commits(config, options, tell)
        self._patience = options.busy_timeout
        self._begin_afresh()
        forks.register(self)

    def _begin_afresh(self) -> None:
        self._tick: list[Operation] = []
        self._queue: _Queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(
        self,
        run: Callable[[Transaction], object],
        *,
        reads: bool = False,
        answers: bool = False,
        creates: bool = False,
        opens: bool = False,
    ) -> asyncio.Future[object]:
        """Queue an operation (see `Operation`); all of one tick of the loop reach the thread together."""
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + self._patience
        operation = Operation(run, loop.create_future(), deadline, reads, answers, creates, opens)
        self._tick.append(operation)
        if len(self._tick) == 1:
            loop.call_soon(self._flush)
        return operation.future

    async def close(self) -> None:
        """Serve what is queued, then end the thread and close the file. Idempotent."""
        self._flush()
        thread, self._thread = self._thread, None
        if thread:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            self._queue.put(lambda: loop.call_soon_threadsafe(ended.set))
            await ended.wait()

    def before_fork(self) -> None:
        """See `forks.Forked`."""
        self.commits.gate.acquire()
        self.commits.database.close()

    def after_fork_in_parent(self) -> None:
        """See `forks.Forked`."""
        self.commits.gate.release()

    def after_fork_in_child(self) -> None:
        """See `forks.Forked`."""
        self.commits.gate.release()
        self._begin_afresh()

    def _flush(self) -> None:
        if not self._tick:
            return
        batch, self._tick = self._tick, []
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._queue,), name="bidlock-sqlite", daemon=True)
            self._thread.start()
        self._queue.put(batch)

    def _work(self, batches: _Queue) -> None:
        ended = None
        while ended is None:
            batch, ended = _everything(batches)
            try:
                self.commits.serve(batch)
            except Exception as error:  # a fault of ours must not leave anybody waiting for ever
                log.exception("the writer failed")
                for operation in batch:
                    operation.fail(BackendAmbiguous(f"the writer failed: {error!r}"))
            deliver(batch)
        self.commits.close()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            ended()


def _everything(batches: _Queue) -> tuple[list[Operation], Callable[[], object] | None]:
    """Wait for a batch, join all that wait behind it, and say whom to tell if it is the last."""
    batch: list[Operation] = []
    part = batches.get()
    while isinstance(part, list):
        batch += part
        try:
            part = batches.get_nowait()
        except queue.Empty:
            return batch, None
    return batch, part
