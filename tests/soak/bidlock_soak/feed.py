"""An endless stream of postings: each is known by its number, and comes out at its time."""

from __future__ import annotations

import time
from dataclasses import dataclass

MARKETPLACE = "soak"
"""What is bid on."""

LOBBY = "lobby"
"""What is only ever held: a few postings that everybody wants again and again."""

LOBBY_SIZE = 4


@dataclass(frozen=True)
class Feed:
    """The stream.

    Attributes:
        begun: When number 0 came out, monotonic seconds.
        rate: How many come out per second.
        head_start: How many were there from the beginning.
        wall: What to add to the monotonic clock for Unix time, seconds; one for all processes, so that a stamp is one, too.
    """

    begun: float
    rate: float
    head_start: int
    wall: float

    def released(self) -> int:
        """How many are out by now."""
        return self.head_start + max(0, int((time.monotonic() - self.begun) * self.rate))

    def due(self, number: int) -> float:
        """When a number comes out, monotonic seconds."""
        return self.begun + max(0, number + 1 - self.head_start) / self.rate

    def stamp(self, number: int) -> float:
        """The creation stamp that the marketplace shows, Unix seconds."""
        return self.due(number) + self.wall
