"""Cancel a piece of work at one certain await, for every await it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, NamedTuple, TypeVar

Result = TypeVar("Result")


class Ending(NamedTuple, Generic[Result]):
    """How the work ended.

    Attributes:
        reached: Whether it had so many awaits; when not, it was left alone.
        result: What it returned; None when it was cancelled or raised.
        error: What it raised, `CancelledError` above all.
    """

    reached: bool
    result: Result | None = None
    error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether it raised anything but the cancellation."""
        return self.error is not None and not isinstance(self.error, asyncio.CancelledError)


async def cancel_at(step: int, work: Callable[[], Coroutine[Any, Any, Result]], *, late: bool) -> Ending[Result]:
    """Run the work in a task of its own and cancel that at its n-th suspension.

    Args:
        step: Which suspension, from 1.
        work: Makes the coroutine.
        late: Cancel only when what is awaited has just come, before the work learns of it: an answer that arrived and
            is thrown away. Otherwise as soon as it waits.
    """
    stepped = _Stepped(work(), step, late)

    async def run() -> Result:
        return await stepped

    task = asyncio.create_task(run())
    await asyncio.wait({task})
    reached = stepped.count >= step
    if task.cancelled():
        return Ending(reached, error=asyncio.CancelledError())
    error = task.exception()
    return Ending(reached, None if error else task.result(), error)


class _Stepped(Generic[Result]):
    """Awaits a coroutine and counts how often it suspends."""

    def __init__(self, coroutine: Coroutine[Any, Any, Result], step: int, late: bool) -> None:
        self._coroutine = coroutine
        self._step = step
        self._late = late
        self.count = 0

    def __await__(self) -> Generator[Any, None, Result]:
        thrown: BaseException | None = None
        while True:
            try:
                awaited = self._coroutine.throw(thrown) if thrown else self._coroutine.send(None)
            except StopIteration as end:
                result: Result = end.value
                return result
            self._suspended(awaited)
            thrown = None
            try:
                yield awaited
            except BaseException as error:  # the coroutine's own business, also a cancellation
                thrown = error

    def _suspended(self, awaited: object) -> None:
        self.count += 1
        task = asyncio.current_task()
        if self.count != self._step or task is None:
            return
        if self._late and isinstance(awaited, asyncio.Future):
            # Runs before the task's own callback, which is added after this: the task is cancelled with the answer in hand.
            awaited.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()
