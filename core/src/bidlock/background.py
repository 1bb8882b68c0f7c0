"""Work that outlives the call that started it: releases after a cancellation, records after a bid."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Background:
    """Tasks that nobody awaits one by one, but that are finished before the client closes."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Start work and keep hold of it (a task that nobody references may vanish)."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await work that goes on to its end even when the caller is cancelled meanwhile."""
        return await asyncio.shield(self.spawn(work))

    async def drain(self, timeout: float) -> None:
        """Wait for all of it, at most `timeout` seconds; what is left is cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def forget(self) -> None:
        """Drop every task without touching it (in a forked child they belong to the parent's loop)."""
        self._tasks.clear()
