"""From a held lease to a bid: claim for good, place, record. The marker stands before the bid is sent, so no crash bids twice."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bidlock import events
from bidlock.backend import MarkerState
from bidlock.client import Client
from bidlock.holding import Held
from bidlock.leases import Lease
from bidlock.outcomes import BidRejected, Placed, Skipped, SkipReason

Result = TypeVar("Result")
Place = Callable[[Lease], Awaitable[Result]]


async def bid(client: Client, held: Held, place: Place[Result]) -> Placed[Result] | Skipped:
    """Claim the posting, call `place` once, record the result, release; only `place`'s own exceptions come through."""
    claimed = False
    try:
        refusal = await held.attempt.claim()
        if refusal:
            claimed = refusal.reason is SkipReason.ALREADY_BID
            client.publish(events.SkippedEvent, held.lease.posting, held.attempt.ticket.mode, reason=refusal.reason.value, waited=0.0)
            return Skipped(refusal.reason, refusal.detail)
        claimed = True
        client.publish(events.Claimed, held.lease.posting, held.attempt.ticket.mode, token=held.lease.token)
        return Placed(await _place(client, held, place), held.lease.token)
    finally:
        await held.end(claimed=claimed)


async def _place(client: Client, held: Held, place: Place[Result]) -> Result:
    try:
        called = place(held.lease)
        # A plain function has bid already when it returns: an error about its type would come too late.
        placed: Result = await called if inspect.isawaitable(called) else called
    except BidRejected:
        await _record(client, held, MarkerState.REJECTED)
        raise
    except BaseException:
        await _record(client, held, MarkerState.UNKNOWN)
        raise
    await _record(client, held, MarkerState.PLACED)
    return placed


async def _record(client: Client, held: Held, state: MarkerState) -> None:
    """Goes on to its end even when the caller is cancelled meanwhile; a store out of reach leaves `claimed` in the marker."""
    await client.background.finish(held.attempt.record(state))
    client.publish(events.Recorded, held.lease.posting, held.attempt.ticket.mode, token=held.lease.token, state=state.value)
