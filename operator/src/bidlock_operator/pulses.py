"""When each of several things last gave a sign of life. What follows from that is decided by pure functions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Pulse:
    """Signs of life, by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is expected yet.

        Args:
            clock: Seconds that only go on.
        """
        self._clock = clock
        self._last: dict[str, float] = {}

    def beat(self, name: str) -> None:
        """It lives."""
        self._last[name] = self._clock()

    def expect(self, name: str) -> None:
        """It should give a sign from now on, if it did not before."""
        self._last.setdefault(name, self._clock())

    def forget(self, name: str) -> None:
        """No sign is expected any more."""
        self._last.pop(name, None)

    def ages(self) -> dict[str, float]:
        """Seconds since the last sign of each."""
        now = self._clock()
        return {name: now - last for name, last in self._last.items()}


def silent(ages: Mapping[str, float], limit: float) -> str:
    """Who gave no sign for longer than `limit` seconds, the longest silence first; empty when everybody did."""
    late = sorted((name for name, age in ages.items() if age > limit), key=lambda name: -ages[name])
    return ", ".join(f"{name} ({ages[name]:.0f} s)" for name in late[:_SHOWN]) + (
        f" and {len(late) - _SHOWN} more" if late[_SHOWN:] else ""
    )


_SHOWN = 5
