"""Keeps a lease alive, and tells its holder in time when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bidlock.attempts import Attempt
from bidlock.clock import Clock
from bidlock.leases import Lease

RENEWALS_PER_TTL = 3


class Keeper:
    """Renews one lease every third of its TTL. A timer first, a task only for leases that live that long."""

    def __init__(
        self, attempt: Attempt, lease: Lease, clock: Clock, max_hold: float, renewed: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Start the timer.

        Args:
            attempt: Renews.
            lease: Gets the new deadlines.
            clock: Decides when the deadline has passed.
            max_hold: How long to renew at most, seconds from now.
            renewed: Called after each renewal.
            lost: Called with the reason when the lease is lost; `lease.lost` is set by then.
        """
        self._attempt = attempt
        self._lease = lease
        self._clock = clock
        self._ends = clock.monotonic() + max_hold
        self._renewed = renewed
        self._lost = lost
        self._pause = attempt.ticket.ttl_ms / 1000 / RENEWALS_PER_TTL
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._start)

    def stop(self) -> None:
        """Stop renewing; the lease may then be released."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._renewed, self._lost = _nothing, _nothing  # or keeper and holder would keep each other

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._keep())

    async def _keep(self) -> None:
        while self._clock.monotonic() < self._ends:
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


def _nothing(*_: str) -> None:
    """Nobody is told any more."""
