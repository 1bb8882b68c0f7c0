"""Callers of one process that want the same posting stand in one line, so that the store sees one of them at a time.

The one in front attempts. When it claims the posting, all the others know without asking a store. When it releases
the bare lock, its lease is passed on to the next in line by one store step instead of a release and an acquire.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bidlock.attempts import Attempt

PASSES_IN_A_ROW = 256
"""After so many passes inside this process the lease is released, so that other processes get their turn."""


@dataclass(eq=False, slots=True)
class Turn:
    """The right to attempt, inside this process.

    Attributes:
        key: The posting's key.
        bids: Whether the caller means to claim (it will be short), not to hold a bare lock.
        inherited: An attempt whose lease is passed on to this turn; it has to be released if this turn fails.
        passes: How often in a row the lease was passed on.
    """

    key: str
    bids: bool
    inherited: Attempt | None = None
    passes: int = 0


@dataclass(eq=False, slots=True)
class _Line:
    front: Turn
    waiting: deque[tuple[Turn, asyncio.Future[bool]]] = field(default_factory=deque)


class Lines:
    """The lines of one `Locks`, one per posting that somebody wants."""

    def __init__(self, abandon: Callable[[Attempt], None]) -> None:
        """No line yet.

        Args:
            abandon: Called with an attempt whose lease was passed on to somebody who is gone; has to release it.
        """
        self._lines: dict[str, _Line] = {}
        self._abandon = abandon

    def step_in(self, key: str, *, bids: bool) -> Turn | None:
        """The turn, if nobody stands in line; never waits."""
        if key in self._lines:
            return None
        turn = Turn(key, bids)
        self._lines[key] = _Line(turn)
        return turn

    def only_bids(self, key: str) -> bool:
        """Whether everybody in line means to claim."""
        line = self._lines.get(key)
        return line is None or (line.front.bids and all(turn.bids for turn, _ in line.waiting))

    async def wait(self, key: str, *, bids: bool, timeout: float | None) -> Turn | bool:
        """Stand in line.

        Args:
            key: The posting's key.
            bids: Whether the caller means to claim.
            timeout: Longest wait, seconds; None for as long as it takes.

        Returns:
            The turn; True when the posting was claimed meanwhile; False after the timeout.
        """
        if turn := self.step_in(key, bids=bids):
            return turn
        turn = Turn(key, bids)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = (turn, future)
        self._lines[key].waiting.append(entry)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            if not _given(future):
                self._step_out(entry)
                return False
        except BaseException:
            self._step_out(entry)
            if _given(future) and self.leave(turn, pass_on=turn.inherited) is False and turn.inherited:
                self._abandon(turn.inherited)
            raise
        return True if future.result() else turn

    def has_next(self, turn: Turn) -> bool:
        """Whether somebody waits behind this turn and the lease may be passed on."""
        line = self._lines.get(turn.key)
        return line is not None and bool(line.waiting) and turn.passes < PASSES_IN_A_ROW

    def leave(self, turn: Turn, *, claimed: bool = False, pass_on: Attempt | None = None) -> bool:
        """Give the turn up.

        Args:
            turn: Whose turn ends.
            claimed: The posting is claimed: everybody in line can go.
            pass_on: The attempt whose lease the next in line may take over.

        Returns:
            Whether somebody took the lease over; if not, it has to be released.
        """
        line = self._lines.get(turn.key)
        if line is None or line.front is not turn:
            return False
        while line.waiting:
            following, future = line.waiting.popleft()
            if future.done():
                continue
            future.set_result(claimed)
            if not claimed:
                following.inherited = pass_on
                following.passes = turn.passes + 1 if pass_on else 0
                line.front = following
                return pass_on is not None
        del self._lines[turn.key]
        return False

    def clear(self) -> None:
        """Forget every line (in a forked child: its callers stayed with the parent)."""
        self._lines.clear()

    def _step_out(self, entry: tuple[Turn, asyncio.Future[bool]]) -> None:
        line = self._lines.get(entry[0].key)
        if line is not None and entry in line.waiting:
            line.waiting.remove(entry)


def _given(future: asyncio.Future[bool]) -> bool:
    """Whether the line moved on to this caller at the very moment it stopped waiting."""
    return future.done() and not future.cancelled()
