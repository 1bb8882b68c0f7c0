"""One caller's wish on its way to the writer's thread, and its answer on the way back."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bidlock.backend import Answer, Verdict
from bidlock.errors import BackendUnavailable
from bidlock_sqlite.transaction import Transaction


@dataclass(eq=False, slots=True)
class Operation:
    """One caller's wish.

    Attributes:
        run: What to do inside the transaction.
        future: Where the result goes, on the caller's loop.
        deadline: Until when to wait for a stranger's lock, monotonic seconds.
        reads: Whether it only reads; then it needs no lock.
        answers: Whether its result is an `Answer`, so that BUSY is one.
        creates: Whether it may make the file.
        opens: Whether a file that can never work is a `ConfigurationError` of it.
        result: What `run` returned.
        error: What is raised instead.
        settled: Whether `result` or `error` is final.
    """

    run: Callable[[Transaction], object]
    future: asyncio.Future[object]
    deadline: float
    reads: bool = False
    answers: bool = False
    creates: bool = False
    opens: bool = False
    result: object = None
    error: Exception | None = None
    settled: bool = False

    def fail(self, error: Exception) -> None:
        """Make this error the final outcome."""
        self.error, self.settled = error, True

    def give_up(self, path: object) -> None:
        """The file stayed locked until the deadline: certainly nothing happened."""
        if not self.answers:
            self.fail(BackendUnavailable(f"{path} is kept locked by another program; find it with fuser or lsof"))
            return
        self.result, self.settled = _BUSY, True


def deliver(operations: Iterable[Operation]) -> None:
    """Hand the outcomes to the loops that wait for them, with one call per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_loop[operation.future.get_loop()].append(operation)
    for loop, batch in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, batch)
        except RuntimeError:
            continue  # the loop is closed: nobody waits any more


def _resolve(batch: list[Operation]) -> None:
    for operation in batch:
        if operation.future.done():
            continue  # its caller was cancelled; what it asked for happened all the same
        if operation.error is not None:
            operation.future.set_exception(operation.error)
        else:
            operation.future.set_result(operation.result)


_BUSY = Answer(Verdict.BUSY)
