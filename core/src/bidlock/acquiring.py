"""From an ask to a held lease: first this process's line, then the stores, as long as the caller is willing to wait."""

from __future__ import annotations

import os

from bidlock import events
from bidlock.asks import Ask
from bidlock.attempts import Attempt, Refusal
from bidlock.backend import Ticket
from bidlock.client import Client
from bidlock.holding import Held
from bidlock.modes import Role
from bidlock.outcomes import SkipReason
from bidlock.sharing import Turn
from bidlock.stores import Store
from bidlock.waiting import LONGEST, pauses

TRANSIENT = frozenset({SkipReason.HELD, SkipReason.CLOSED, SkipReason.MODE, SkipReason.UNREACHABLE, SkipReason.BUSY})
"""Refusals that time may cure: waited for within the timeout, and worth another try later."""

_IN_LINE = Refusal(SkipReason.HELD, detail="another caller in this process has it")
_UNHEARD = (
    "mode {mode} bids without Redis, where original bots lock too (BIDLOCK_ORIGINAL_KEYS): neither would hear of the other; "
    "walk to strict before they run beside, or end them"
)
_CLAIMED_HERE = Refusal(SkipReason.ALREADY_BID, detail="claimed by another caller in this process")


async def acquire(client: Client, ask: Ask) -> Held | Refusal:
    """Win the lease, or say why not; a refusal leaves nothing behind in any store."""
    started = client.clock.monotonic()
    turn = client.lines.step_in(ask.posting.key, bids=ask.bids) or await _stand_in_line(client, ask)
    got = await _in_turn(client, ask, turn, started) if isinstance(turn, Turn) else turn
    if client.observed:
        _tell(client, ask, got, waited=client.clock.monotonic() - started)
    return got


def _tell(client: Client, ask: Ask, got: Held | Refusal, waited: float) -> None:
    if isinstance(got, Refusal):
        client.publish(events.SkippedEvent, ask.posting, reason=got.reason.value, waited=waited)
    else:
        client.publish(events.Acquired, ask.posting, got.attempt.ticket.mode, token=got.lease.token, waited=waited)


async def _stand_in_line(client: Client, ask: Ask) -> Turn | Refusal:
    """A bid waits for other bids however long they take, since they decide it; else the timeout counts."""
    among_bids = ask.bids and client.lines.only_bids(ask.posting.key)
    waited = await client.lines.wait(ask.posting.key, bids=ask.bids, timeout=None if among_bids else ask.timeout)
    if isinstance(waited, Turn):
        return waited
    return _CLAIMED_HERE if waited else _IN_LINE


async def _in_turn(client: Client, ask: Ask, turn: Turn, started: float) -> Held | Refusal:
    try:
        got = await _try(client, ask, turn)
        until = started + ask.timeout
        if isinstance(got, Refusal) and _worth_waiting(client, got, until):
            got = await _wait_and_try(client, ask, turn, got, until)
    except BaseException:
        _release_inherited(client, turn)
        client.lines.leave(turn)
        raise
    if isinstance(got, Refusal):
        _release_inherited(client, turn)
        client.lines.leave(turn, claimed=got.reason is SkipReason.ALREADY_BID)
    return got


async def _wait_and_try(client: Client, ask: Ask, turn: Turn, refusal: Refusal, until: float) -> Held | Refusal:
    """Subscribe to the posting's releases first, then try again: a release in between is not missed."""
    store = client.stores[refusal.role] if refusal.role else client.deciding
    async with store.backend.wakeups(ask.posting) as wakeups:
        for pause in pauses():
            got = await _try(client, ask, turn)
            if isinstance(got, Held) or not _worth_waiting(client, got, until):
                return got
            await wakeups.wait(_patience(store, got, pause, until - client.clock.monotonic()))
    raise AssertionError("pauses() never ends")


def _patience(store: Store, refusal: Refusal, pause: float, left: float) -> float:
    """Seconds until the next try unless woken: capped by the holder's own expiry, and by what is left to wait."""
    if store.capabilities.wait == "notify" and refusal.reason is SkipReason.HELD:
        pause = LONGEST  # a wake-up comes first; this covers one that was lost, and holders that send none
    if refusal.remaining_ms >= 0:
        pause = min(pause, refusal.remaining_ms / 1000 + 0.002)
    return max(0.0, min(pause, left))


def _worth_waiting(client: Client, refusal: Refusal, until: float) -> bool:
    return refusal.reason in TRANSIENT and client.clock.monotonic() < until


async def _try(client: Client, ask: Ask, turn: Turn) -> Held | Refusal:
    """One attempt under a fresh nonce (a late release of an earlier one must not hit it)."""
    mode = client.mode  # fixed here for the whole attempt, whatever the source says later
    if missing := client.lacks(mode):
        return Refusal(SkipReason.MODE, detail=f"mode {mode.name} needs the {missing.value} store, which this client is not configured for")
    if client.settings.original_keys and Role.TARGET not in mode.required:
        return Refusal(SkipReason.MODE, detail=_UNHEARD.format(mode=mode.name))
    if not client.knows(mode):
        await client.learn(mode, ask.ttl_ms)
    ticket = Ticket(ask.posting, os.urandom(16).hex(), mode.name, client.settings.holder, ask.ttl_ms, ask.posted_at_ms, client.domain)
    attempt = Attempt(client.stores, mode, ticket, client.clock, client.settings.reach_timeout)
    try:
        refusal = await attempt.acquire(turn.inherited.ticket.nonce if turn.inherited else "")
    except BaseException:
        client.release_later(attempt)
        raise
    if refusal is None:
        if turn.inherited and turn.inherited.mode is mode and not attempt.alone:
            turn.inherited = None  # its lease is this attempt's now, in every store
        _release_inherited(client, turn)
        return Held(client, attempt, turn, ask.max_hold)
    if attempt.unreleased:
        client.release_later(attempt)
    if refusal.reason is SkipReason.DOMAIN:
        client.forget_domain()
    _release_inherited(client, turn)
    return refusal


def _release_inherited(client: Client, turn: Turn) -> None:
    inherited, turn.inherited = turn.inherited, None
    if inherited:
        client.release_later(inherited)
