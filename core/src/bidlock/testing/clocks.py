"""Clocks that move only when a test moves them."""

from __future__ import annotations


class ManualClock:
    """A `bidlock.clock.Clock` in the hand of a test.

    The two hands are apart on purpose: `advance` lets time pass, `jump` only sets the wall clock, as a correction of
    the machine's date does.
    """

    def __init__(self, monotonic: float = 1_000.0, time: float = 1_700_000_000.0) -> None:
        self._monotonic = monotonic
        self._time = time

    def monotonic(self) -> float:
        """Seconds that passed so far, from an arbitrary start."""
        return self._monotonic

    def time(self) -> float:
        """Unix seconds on the wall clock."""
        return self._time

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks.

        Raises:
            ValueError: `seconds` is negative; only `jump` goes back.
        """
        if seconds < 0:
            raise ValueError("a monotonic clock never goes back; use jump() for the wall clock")
        self._monotonic += seconds
        self._time += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, forwards or backwards."""
        self._time += seconds
