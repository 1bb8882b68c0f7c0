"""Postings that are to be worked on: new ones from the feed, and skipped ones whose pause is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from example_bidder.feed import Job


@dataclass
class Task:
    """A posting and how often it was tried."""

    job: Job
    tries: int = 0


class Worklist:
    """Hands tasks to workers until the feed has ended and none is left, or until it is stopped.

    Args:
        limit: How many postings may be open, new or waiting for another try; the feed is not read further meanwhile.
    """

    def __init__(self, limit: int) -> None:
        self._ready: asyncio.Queue[Task | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(limit)
        self._open = 0
        self._fed = False
        self._ended = False

    async def add(self, job: Job) -> None:
        """Take a posting in, once there is room."""
        await self._room.acquire()
        self._open += 1
        self._ready.put_nowait(Task(job))

    def again(self, task: Task, pause: float) -> None:
        """Hand the task out once more after `pause` seconds."""
        asyncio.get_running_loop().call_later(pause, self._ready.put_nowait, task)

    def done(self) -> None:
        """One task needs no further try."""
        self._open -= 1
        self._room.release()
        self._end_if_empty()

    def fed(self) -> None:
        """The feed has ended."""
        self._fed = True
        self._end_if_empty()

    def stop(self) -> None:
        """Hand out nothing any more."""
        self._ended = True
        self._ready.put_nowait(None)

    async def take(self) -> Task | None:
        """The next task; None when there will be none."""
        task = await self._ready.get()
        if not self._ended:
            return task
        self._ready.put_nowait(None)  # wakes the next worker
        return None

    def _end_if_empty(self) -> None:
        if self._fed and not self._open:
            self.stop()
