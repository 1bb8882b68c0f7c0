"""Calls that are due a fixed while after they were entered, and nearly always struck out before: one timer for all of them.

A timer of the event loop for each lease cost more than anything else that core did for it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Hashable
from typing import Protocol


class Entry(Hashable, Protocol):
    """Something that waits for its moment."""

    def due(self) -> None:
        """Called once, when the moment has come."""


class Timetable:
    """Entries by the moment they are due; those of one pause are due in the order in which they came."""

    def __init__(self) -> None:
        self._queues: dict[float, _Queue] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self, entry: Entry, pause: float) -> None:
        """Have `entry.due()` called in `pause` seconds, unless it is struck out before. An entry is entered once at a time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # nothing is due any more in a loop that has ended
            self._queues.clear()
            self._loop = loop
        queue = self._queues.get(pause)
        if queue is None:
            queue = self._queues[pause] = _Queue()
        queue.moments[entry] = moment = loop.time() + pause
        if queue.timer is None:
            self._wait(queue, pause, moment)

    def strike_out(self, entry: Entry, pause: float) -> None:
        """Forget an entry; one that was due, or never entered, is fine."""
        if queue := self._queues.get(pause):
            queue.moments.pop(entry, None)

    def clear(self) -> None:
        """Forget every entry (in a forked child they belong to the parent)."""
        self._queues.clear()

    def _wait(self, queue: _Queue, pause: float, moment: float) -> None:
        queue.timer = asyncio.get_running_loop().call_at(moment, self._ring, pause)

    def _ring(self, pause: float) -> None:
        queue = self._queues.get(pause)
        if queue is None:
            return
        queue.timer = None
        for entry in queue.fallen_due(asyncio.get_running_loop().time()):
            if queue.moments.pop(entry, None) is not None:
                entry.due()
        following = next(iter(queue.moments.values()), None)
        if following is None:
            self._queues.pop(pause, None)
        elif queue.timer is None:
            self._wait(queue, pause, following)


class _Queue:
    """The entries of one pause, in the order in which they are due."""

    __slots__ = ("moments", "timer")

    def __init__(self) -> None:
        self.moments: dict[Entry, float] = {}
        self.timer: asyncio.TimerHandle | None = None

    def fallen_due(self, now: float) -> list[Entry]:
        return [entry for entry, _ in itertools.takewhile(lambda item: item[1] <= now, self.moments.items())]
