"""The only door to time, so that tests can hold the clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where core reads the time."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back and does not stop while the process is paused."""

    def time(self) -> float:
        """Unix seconds; for records that humans read, never for a decision."""


class SystemClock:
    """The machine's clocks."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
