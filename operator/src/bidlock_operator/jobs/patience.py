"""Waiting for a cluster that is not there yet, or not there for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bidlock.errors import BidlockError
from bidlock_operator.kube.errors import Busy, Conflict, NotFound, Unanswered

T = TypeVar("T")

PAUSE = 0.5
"""Seconds between two tries."""

PASSING = (Busy, Conflict, NotFound, Unanswered)
"""What may be different in a moment; a definition that was just created is not served at once."""


class NotYet(BidlockError):
    """What is waited for is not the case yet."""


async def until_done(attempt: Callable[[], Awaitable[T]], *, within: float) -> T:
    """Try until it works.

    Args:
        attempt: Raises `NotYet`, or what the API server said, while it does not work.
        within: Longest time for all tries, seconds.

    Raises:
        BidlockError: what the last try raised.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        try:
            return await attempt()
        except (NotYet, *PASSING):
            if loop.time() + PAUSE > deadline:
                raise
        await asyncio.sleep(PAUSE)
