"""A won attempt while it lasts: its lease, who keeps it alive, and the turn in this process's line."""

from __future__ import annotations

from collections.abc import Callable

from bidlock import events
from bidlock.attempts import Attempt
from bidlock.client import Client
from bidlock.leases import Lease
from bidlock.renewal import RENEWALS_PER_TTL, Keeper
from bidlock.sharing import Turn


class Held:
    """Ends exactly once: passed on to the next caller in this process, or released.

    Renewed every third of its TTL. It stands in the client's timetable first; only a lease that lives that long gets a task.
    """

    __slots__ = ("_client", "_ended", "_keeper", "_max_hold", "_pause", "_since", "attempt", "lease", "turn")

    def __init__(self, client: Client, attempt: Attempt, turn: Turn, max_hold: float) -> None:
        """Start to keep the lease alive.

        Args:
            client: Whose attempt it was.
            attempt: Won just now.
            turn: In this process's line.
            max_hold: How long to renew at most, seconds.
        """
        ticket = attempt.ticket
        self.attempt = attempt
        self.turn = turn
        self.lease = Lease(ticket.posting, attempt.token, ticket.holder, ticket.nonce, attempt.deadline, client.clock, self.end)
        self._client = client
        self._ended = False
        self._since = client.clock.monotonic()
        self._max_hold = max_hold
        self._pause = ticket.ttl_ms / 1000 / RENEWALS_PER_TTL
        self._keeper: Keeper | None = None
        client.leases.add(self.lease)
        client.renewals.enter(self, self._pause)

    def due(self) -> None:
        """The first renewal is due."""
        until = self._since + self._max_hold
        self._keeper = Keeper(self.attempt, self.lease, self._client.clock, self._pause, until, self._renewed, self._lost)

    async def end(self, *, claimed: bool = False) -> bool:
        """Stop believing in the lease first, then pass it on or release it.

        Args:
            claimed: The posting is claimed for good: callers in line need not try.

        Returns:
            Whether the lease was still held.
        """
        if self._ended:
            return False
        self._ended = True
        self._stop_renewing()
        self.lease.forget()
        self._client.leases.discard(self.lease)
        held = not self.lease.lost.is_set() and self.lease.remaining > 0
        if not (held and not claimed and self._passed_on()):
            await self._release(claimed)
        return held

    def _stop_renewing(self) -> None:
        self._client.renewals.strike_out(self, self._pause)
        if self._keeper is not None:
            self._keeper.stop()

    def _passed_on(self) -> bool:
        lines = self._client.lines
        return lines.has_next(self.turn) and lines.leave(self.turn, pass_on=self.attempt)

    async def _release(self, claimed: bool) -> None:
        try:
            if not await self.attempt.release():
                self._client.release_later(self.attempt)
        except BaseException:
            self._client.release_later(self.attempt)
            raise
        finally:
            self._client.lines.leave(self.turn, claimed=claimed)
        if self._client.observed:
            self._publish(events.Released, held=self._client.clock.monotonic() - self._since)

    def _renewed(self) -> None:
        self._publish(events.Renewed)

    def _lost(self, reason: str) -> None:
        self._publish(events.Lost, reason=reason)

    def _publish(self, kind: Callable[..., events.Event], **facts: object) -> None:
        self._client.publish(kind, self.lease.posting, self.attempt.ticket.mode, token=self.lease.token, **facts)
