"""What a winner gets: a lease, for a time, with a token that grows with every lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bidlock.clock import Clock
from bidlock.errors import LeaseLost
from bidlock.postings import Posting


class Lease:
    """A lease this process holds. It is renewed in the background until released, lost, or held for `max_hold`.

    Attributes:
        posting: What is leased.
        token: Fencing token: higher than that of every earlier lease of the posting, in whatever store.
        holder: Who holds it, for humans.
        nonce: The attempt's identity; 32 hex digits.
        deadline: Monotonic time (seconds) until which nobody else can hold it; moves with each renewal.
        lost: Set before anybody else can win. `await lease.lost.wait()` or `lease.lost.is_set()`.
    """

    __slots__ = ("_clock", "_release", "deadline", "holder", "lost", "nonce", "posting", "token")

    def __init__(
        self, posting: Posting, token: int, holder: str, nonce: str, deadline: float, clock: Clock, release: Callable[[], Awaitable[bool]]
    ) -> None:
        self.posting = posting
        self.token = token
        self.holder = holder
        self.nonce = nonce
        self.deadline = deadline
        self.lost = asyncio.Event()
        self._clock = clock
        self._release = release

    def __repr__(self) -> str:
        state = "lost" if self.lost.is_set() else f"{max(0.0, self.remaining):.1f} s left"
        return f"<Lease {self.posting.key} token={self.token} {state}>"

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; renewal moves it."""
        return self.deadline - self._clock.monotonic()

    def check(self) -> None:
        """Raise if the lease cannot be relied on any more; cheap, for use right before a side effect.

        Raises:
            LeaseLost: it was lost, or its deadline passed (say, while the process was paused).
        """
        if self.lost.is_set() or self.remaining <= 0:
            raise LeaseLost(f"the lease of {self.posting.key} (token {self.token}) is lost")

    def forget(self) -> None:
        """Let go of whoever releases it: it has ended.

        The two know each other, and thousands of such pairs a second would keep the garbage collector busy.
        """
        self._release = _nothing

    async def release(self) -> bool:
        """Release the lease; further calls do nothing.

        Returns:
            Whether it was still held.
        """
        return await self._release()


async def _nothing() -> bool:
    return False
