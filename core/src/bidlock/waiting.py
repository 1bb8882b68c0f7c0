"""How long to wait before asking again."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST = 0.05
FACTOR = 1.5
LONGEST = 1.0


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try: from 50 ms by half as much again up to 1 s, each jittered by a quarter.

    The jitter keeps bidders that lost the same posting from asking in step.
    """
    pause = FIRST
    while True:
        yield pause * random.uniform(0.75, 1.25)
        pause = min(pause * FACTOR, LONGEST)
