"""Keeps a lease alive, and tells its holder in time when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bidlock.attempts import Attempt
from bidlock.clock import Clock
from bidlock.leases import Lease

RENEWALS_PER_TTL = 3


class Keeper:
    """Renews one lease, now and after each pause."""

    def __init__(
        self,
        attempt: Attempt,
        lease: Lease,
        clock: Clock,
        pause: float,
        until: float,
        renewed: Callable[[], None],
        lost: Callable[[str], None],
    ) -> None:
        """Start.

        Args:
            attempt: Renews.
            lease: Gets the new deadlines.
            clock: Decides when the deadline has passed.
            pause: Time between two renewals, seconds.
            until: When renewing ends, monotonic seconds.
            renewed: Called after each renewal.
            lost: Called with the reason when the lease is lost; `lease.lost` is set by then.
        """
        self._attempt = attempt
        self._lease = lease
        self._clock = clock
        self._pause = pause
        self._until = until
        self._renewed = renewed
        self._lost = lost
        self._task = asyncio.ensure_future(self._guarded())

    def stop(self) -> None:
        """Stop renewing; the lease may then be released."""
        self._task.cancel()

    async def _guarded(self) -> None:
        """Whatever goes wrong here, the holder is told; only `stop` ends it without a word."""
        try:
            await self._keep()
        except Exception:
            self._lose("broken")
            raise

    async def _keep(self) -> None:
        while self._clock.monotonic() < self._until:
            if reason := await self._renew():
                self._lose(reason)
                return
            self._lease.deadline = self._attempt.deadline
            self._renewed()
            await asyncio.sleep(self._pause)
        await asyncio.sleep(max(0.0, self._lease.remaining))
        self._lose("max_hold")

    async def _renew(self) -> str:
        """Renew once; the reason when that failed, else an empty string. Never longer than the lease's deadline."""
        try:
            async with asyncio.timeout(self._lease.remaining):
                refusal = await self._attempt.renew()
        except TimeoutError:
            return "unreachable"
        return refusal.reason.value if refusal else ""

    def _lose(self, reason: str) -> None:
        self._lease.lost.set()
        self._lost(reason)
