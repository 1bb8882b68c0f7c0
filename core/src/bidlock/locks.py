"""The front door: bid once, hold, look, break."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import os
import secrets
import weakref
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from bidlock import events
from bidlock.attempts import Attempt, Refusal
from bidlock.backend import Inspection, LeaseRecord, MarkerState, Observed, Ticket
from bidlock.background import Background
from bidlock.clock import Clock, SystemClock
from bidlock.errors import BackendUnavailable, BidlockError, ConfigurationError, NotAcquired
from bidlock.leases import Lease
from bidlock.modes import Mode, Role
from bidlock.outcomes import BidRejected, Placed, Skipped, SkipReason
from bidlock.plugins import Plugins
from bidlock.postings import Posting, posting
from bidlock.renewal import Keeper
from bidlock.settings import Settings
from bidlock.sharing import Lines, Turn
from bidlock.stores import Store
from bidlock.waiting import pauses

Result = TypeVar("Result")
Place = Callable[[Lease], Awaitable[Result] | Result]
PostedAt = datetime.datetime | float | None

TRANSIENT = frozenset({SkipReason.HELD, SkipReason.CLOSED, SkipReason.MODE, SkipReason.UNREACHABLE, SkipReason.BUSY})
"""Refusals that time may cure; `timeout` waits for them, and a bot may try such a posting again later."""

_IN_LINE = Refusal(SkipReason.HELD, detail="another caller in this process has it")
_CLAIMED_HERE = Refusal(SkipReason.ALREADY_BID, detail="claimed by another caller in this process")


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one call wants, checked."""

    posting: Posting
    ttl_ms: int
    posted_at_ms: int
    timeout: float
    bids: bool
    max_hold: float


class Locks:
    """The locks of one fleet, as this process sees them. Made by `bidlock.connect`; one object serves one event loop."""

    def __init__(self, stores: Mapping[Role, Store], mode: Mode, settings: Settings, plugins: Plugins, clock: Clock | None = None) -> None:
        """Put a client together; nothing is opened before `async with` or `open()`.

        Args:
            stores: The store for each role that `mode` names.
            mode: Which stores decide.
            settings: Everything configurable.
            plugins: Whose observers are told.
            clock: Time; None for the machine's.
        """
        self.settings = settings
        self.mode = mode
        self._stores = dict(stores)
        self._plugins = plugins
        self._clock = clock or SystemClock()
        self._background = Background()
        self._lines = Lines(lambda attempt: self._spawn_release(attempt))
        self._leases: weakref.WeakSet[Lease] = weakref.WeakSet()
        _EVERY.add(self)

    async def open(self) -> Self:
        """Reach the stores.

        Raises:
            ConfigurationError: a store cannot be trusted; the message says what to do. A store that is merely out of
                reach is no error here: attempts are skipped as `unreachable` until it answers.
        """
        for store in self._stores.values():
            await store.open()
        return self

    async def close(self) -> None:
        """Finish what is under way in the background, and give the stores up. Leases still held expire."""
        await self._background.drain(self.settings.reach_timeout)
        for store in self._stores.values():
            await store.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def bid_once(
        self,
        marketplace: str,
        posting_id: str,
        place: Place[Result],
        *,
        posted_at: PostedAt = None,
        ttl: float | None = None,
        timeout: float = 0.0,
    ) -> Placed[Result] | Skipped:
        """Have `place` called at most once in the fleet's life for this posting.

        Other callers of this process for the same posting wait for the first: if it claimed the posting they are
        skipped without asking a store, if not, the next one tries.

        Args:
            marketplace: The marketplace's name.
            posting_id: The posting's id, as the marketplace writes it.
            place: Places the bid; gets the lease, whose token the marketplace call may carry. What it returns becomes
                the result. `BidRejected` is recorded as a refusal by the marketplace, any other exception as unknown;
                both are raised on, and the posting is never bid on again.
            posted_at: The marketplace's own creation stamp: aware datetime or Unix seconds.
            ttl: How long the lease lives without renewal, seconds.
            timeout: How long to wait for a posting that another process holds, seconds.

        Returns:
            `Placed` or `Skipped`.

        Raises:
            InvalidPosting: an id is empty, too long or no text.
            ConfigurationError: `ttl` or `posted_at` cannot work.
        """
        ask = self._ask(marketplace, posting_id, ttl=ttl, posted_at=posted_at, timeout=timeout, bids=True)
        got = await self._acquire(ask)
        if isinstance(got, Refusal):
            return Skipped(got.reason, got.detail)
        return await self._bid(got, place)

    def hold(
        self,
        marketplace: str,
        posting_id: str,
        *,
        ttl: float | None = None,
        timeout: float | None = None,
        posted_at: PostedAt = None,
        max_hold: float | None = None,
    ) -> contextlib.AbstractAsyncContextManager[Lease]:
        """Hold the bare lock around a block: no marker, so it may be taken again afterwards.

        Args:
            marketplace: The marketplace's name.
            posting_id: The posting's id.
            ttl: How long the lease lives without renewal, seconds.
            timeout: How long to wait for it, seconds.
            posted_at: The marketplace's own creation stamp: aware datetime or Unix seconds.
            max_hold: How long to renew at most, seconds; 0 for never.

        Returns:
            A context manager that yields the lease and raises `NotAcquired` when it was not to be had,
            `BackendUnavailable` when the store did not answer.
        """
        ask = self._ask(
            marketplace,
            posting_id,
            ttl=ttl,
            posted_at=posted_at,
            max_hold=max_hold,
            timeout=self.settings.timeout if timeout is None else timeout,
        )
        return _Hold(self, ask)

    async def try_hold(
        self, marketplace: str, posting_id: str, *, ttl: float | None = None, posted_at: PostedAt = None, max_hold: float | None = None
    ) -> Lease | None:
        """The bare lock if it is free now; never waits for another holder. Release it with `await lease.release()`.

        Returns:
            The lease, or None.

        Raises:
            BackendUnavailable: the store did not answer.
        """
        ask = self._ask(marketplace, posting_id, ttl=ttl, posted_at=posted_at, max_hold=max_hold, timeout=0.0)
        got = await self._acquire(ask)
        if isinstance(got, _Held):
            return got.lease
        if got.reason is SkipReason.UNREACHABLE:
            raise BackendUnavailable(got.detail)
        return None

    async def inspect(self, marketplace: str, posting_id: str) -> Inspection:
        """Who holds the posting, since when, and what became of it; the store that decides is asked.

        Raises:
            BackendError: the store did not answer.
        """
        return await self._deciding.backend.inspect(posting(marketplace, posting_id))

    async def break_lock(self, marketplace: str, posting_id: str, *, by: str, reason: str) -> LeaseRecord | None:
        """Release somebody else's lease by force: audited in the store, and fenced (the evicted holder can neither renew nor claim).

        Args:
            marketplace: The marketplace's name.
            posting_id: The posting's id.
            by: Who does it.
            reason: Why.

        Returns:
            The lease that was broken, or None when there was none.

        Raises:
            BackendError: the store did not answer.
            ConfigurationError: `by` or `reason` is empty.
        """
        if not by.strip() or not reason.strip():
            raise ConfigurationError("breaking a lock is audited: say who does it (by) and why (reason)")
        what = posting(marketplace, posting_id)
        broken = None
        for role in self.mode.roles:
            broken = await self._stores[role].backend.break_(what, by=by, reason=reason) or broken
        if broken:
            self._publish(events.Broken, what, by=by, reason=reason, token=broken.token)
        return broken

    async def observe(self) -> Observed:
        """What the deciding store says about itself.

        Raises:
            BackendError: the store did not answer.
        """
        return await self._deciding.backend.observe()

    @property
    def _deciding(self) -> Store:
        return self._stores[self.mode.required[-1]]

    def _ask(
        self,
        marketplace: str,
        posting_id: str,
        *,
        ttl: float | None,
        posted_at: PostedAt,
        timeout: float,
        bids: bool = False,
        max_hold: float | None = None,
    ) -> _Ask:
        ttl_ms = round((self.settings.ttl if ttl is None else ttl) * 1000)
        if ttl_ms <= 0:
            raise ConfigurationError(f"ttl must be more than 0 seconds, not {ttl}")
        for role in self.mode.required:
            self._stores[role].check_ttl(ttl_ms)
        longest = self.settings.max_hold if max_hold is None else max_hold
        return _Ask(posting(marketplace, posting_id), ttl_ms, _milliseconds(posted_at), timeout, bids, longest)

    async def _acquire(self, ask: _Ask) -> _Held | Refusal:
        """Stand in this process's line, then acquire from the stores; a refusal leaves nothing behind."""
        started = self._clock.monotonic()
        turn = self._lines.step_in(ask.posting.key, bids=ask.bids)
        if turn is None:
            patient = ask.bids and self._lines.only_bids(ask.posting.key)
            waited = await self._lines.wait(ask.posting.key, bids=ask.bids, timeout=None if patient else ask.timeout)
            if isinstance(waited, bool):
                return self._skipped(ask, _CLAIMED_HERE if waited else _IN_LINE, started)
            turn = waited
        try:
            got = await self._acquire_from_stores(ask, turn, started)
        except BaseException:
            self._lines.leave(turn)
            raise
        if isinstance(got, Refusal):
            self._lines.leave(turn, claimed=got.reason is SkipReason.ALREADY_BID)
            return self._skipped(ask, got, started)
        if self._plugins.observed:
            self._publish(events.Acquired, ask.posting, token=got.lease.token, waited=self._clock.monotonic() - started)
        return got

    async def _acquire_from_stores(self, ask: _Ask, turn: Turn, started: float) -> _Held | Refusal:
        got = await self._try(ask, turn)
        until = started + ask.timeout
        if isinstance(got, _Held) or not self._worth_waiting(got, until):
            return got
        return await self._wait_and_try(ask, turn, got, until)

    async def _wait_and_try(self, ask: _Ask, turn: Turn, refusal: Refusal, until: float) -> _Held | Refusal:
        """Subscribe to the posting's releases first, then try again: a release in between is not missed."""
        store = self._stores[refusal.role] if refusal.role else self._deciding
        async with store.backend.wakeups(ask.posting) as wakeups:
            for pause in pauses():
                got = await self._try(ask, turn)
                if isinstance(got, _Held) or not self._worth_waiting(got, until):
                    return got
                await wakeups.wait(self._patience(store, got, pause, until))
        raise AssertionError("pauses() never ends")

    def _patience(self, store: Store, refusal: Refusal, pause: float, until: float) -> float:
        """Seconds until the next try, unless woken: capped by the holder's own expiry and by what is left to wait."""
        left = until - self._clock.monotonic()
        if store.capabilities.wait == "notify" and refusal.reason is SkipReason.HELD:
            pause = 1.0  # a wake-up comes first; this covers one that was lost, and holders that send none
        if refusal.remaining_ms >= 0:
            pause = min(pause, refusal.remaining_ms / 1000 + 0.002)
        return max(0.0, min(pause, left))

    def _worth_waiting(self, refusal: Refusal, until: float) -> bool:
        return refusal.reason in TRANSIENT and self._clock.monotonic() < until

    async def _try(self, ask: _Ask, turn: Turn) -> _Held | Refusal:
        """One attempt under a fresh nonce. Whatever happens, an inherited lease is used up or released."""
        inherited, turn.inherited = turn.inherited, None
        ticket = Ticket(ask.posting, secrets.token_hex(16), self.mode.name, self.settings.holder, ask.ttl_ms, ask.posted_at_ms)
        attempt = Attempt(self._stores, self.mode, ticket, self._clock, self.settings.reach_timeout)
        try:
            refusal = await attempt.acquire(inherited.ticket.nonce if inherited else "")
        except BaseException:
            self._spawn_release(attempt)
            if inherited:
                self._spawn_release(inherited)
            raise
        if refusal is None:
            return _Held(self, attempt, turn, ask.max_hold)
        if inherited:
            self._spawn_release(inherited)
        return refusal

    async def _bid(self, held: _Held, place: Place[Result]) -> Placed[Result] | Skipped:
        claimed = False
        try:
            refusal = await held.attempt.claim()
            if refusal:
                claimed = refusal.reason is SkipReason.ALREADY_BID
                return self._skipped_holding(held, refusal)
            claimed = True
            self._publish(events.Claimed, held.lease.posting, token=held.lease.token)
            return Placed(await self._place(held, place), held.lease.token)
        finally:
            await held.end(claimed=claimed)

    async def _place(self, held: _Held, place: Place[Result]) -> Result:
        """Call `place`, and record what became of it even when this task is cancelled meanwhile."""
        try:
            result = place(held.lease)
            placed: Result = await result if inspect.isawaitable(result) else result
        except BidRejected:
            await self._record(held, MarkerState.REJECTED)
            raise
        except BaseException:
            await self._record(held, MarkerState.UNKNOWN)
            raise
        await self._record(held, MarkerState.PLACED)
        return placed

    async def _record(self, held: _Held, state: MarkerState) -> None:
        await self._background.finish(held.attempt.record(state))
        self._publish(events.Recorded, held.lease.posting, token=held.lease.token, state=state.value)

    def _spawn_release(self, attempt: Attempt) -> None:
        self._background.spawn(attempt.release())

    def _skipped_holding(self, held: _Held, refusal: Refusal) -> Skipped:
        self._publish(events.SkippedEvent, held.lease.posting, reason=refusal.reason.value, waited=0.0)
        return Skipped(refusal.reason, refusal.detail)

    def _skipped(self, ask: _Ask, refusal: Refusal, started: float) -> Refusal:
        self._publish(events.SkippedEvent, ask.posting, reason=refusal.reason.value, waited=self._clock.monotonic() - started)
        return refusal

    def _publish(self, kind: Callable[..., events.Event], what: Posting, **facts: object) -> None:
        if self._plugins.observed:
            self._plugins.publish(
                kind(marketplace=what.marketplace, posting_id=what.id, mode=self.mode.name, holder=self.settings.holder, **facts)
            )

    def _forked(self) -> None:
        """In a forked child: nothing that the parent holds is ours (protocol, rules for forks)."""
        for lease in self._leases:
            lease.lost.set()
        self._lines.clear()
        self._background.forget()


class _Held:
    """A won attempt: its lease, who keeps it alive, and the turn in this process's line."""

    __slots__ = ("_ended", "_keeper", "_locks", "_since", "attempt", "lease", "turn")

    def __init__(self, locks: Locks, attempt: Attempt, turn: Turn, max_hold: float) -> None:
        self.attempt = attempt
        self.turn = turn
        ticket = attempt.ticket
        self.lease = Lease(ticket.posting, attempt.token, ticket.holder, ticket.nonce, attempt.deadline, locks._clock, self.end)
        self._locks = locks
        self._ended = False
        self._since = locks._clock.monotonic()
        self._keeper = Keeper(attempt, self.lease, locks._clock, max_hold, self._renewed, self._lost)
        locks._leases.add(self.lease)

    async def end(self, *, claimed: bool = False) -> bool:
        """Stop believing in the lease, then pass it on inside the process or release it. Whether it was still held."""
        if self._ended:
            return False
        self._ended = True
        self._keeper.stop()
        held = not self.lease.lost.is_set() and self.lease.remaining > 0
        locks = self._locks
        if not claimed and held and locks._lines.has_next(self.turn) and locks._lines.leave(self.turn, pass_on=self.attempt):
            return True
        try:
            await locks._background.finish(self.attempt.release())
        finally:
            locks._lines.leave(self.turn, claimed=claimed)
        if locks._plugins.observed:
            locks._publish(events.Released, self.lease.posting, token=self.lease.token, held=locks._clock.monotonic() - self._since)
        return held

    def _renewed(self) -> None:
        self._locks._publish(events.Renewed, self.lease.posting, token=self.lease.token)

    def _lost(self, reason: str) -> None:
        self._locks._publish(events.Lost, self.lease.posting, token=self.lease.token, reason=reason)


class _Hold(contextlib.AbstractAsyncContextManager[Lease]):
    """`Locks.hold` as a context manager that may be entered and left in different tasks."""

    def __init__(self, locks: Locks, ask: _Ask) -> None:
        self._locks = locks
        self._ask = ask
        self._held: _Held | None = None

    async def __aenter__(self) -> Lease:
        got = await self._locks._acquire(self._ask)
        if isinstance(got, _Held):
            self._held = got
            return got.lease
        raise _not_acquired(self._ask, got)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._held is not None:
            await self._held.end()


def _not_acquired(ask: _Ask, refusal: Refusal) -> BidlockError:
    what = f"{ask.posting.key} was not acquired within {ask.timeout:g} s: {refusal.reason.value}"
    if refusal.detail:
        what += f" ({refusal.detail})"
    if refusal.reason is SkipReason.UNREACHABLE:
        return BackendUnavailable(what)
    return NotAcquired(what, reason=refusal.reason)


def _milliseconds(posted_at: PostedAt) -> int:
    """Unix milliseconds of a creation stamp; 0 for none."""
    if posted_at is None:
        return 0
    if isinstance(posted_at, datetime.datetime):
        if posted_at.tzinfo is None:
            raise ConfigurationError(
                "posted_at has no time zone; every pod must read the same moment, so give an aware datetime or Unix seconds"
            )
        posted_at = posted_at.timestamp()
    if not isinstance(posted_at, (int, float)) or not 0 < posted_at < 10**11:
        raise ConfigurationError(f"posted_at {posted_at!r} is no moment; give an aware datetime or Unix seconds")
    return round(posted_at * 1000)


_EVERY: weakref.WeakSet[Locks] = weakref.WeakSet()


def _after_fork() -> None:
    for locks in list(_EVERY):
        locks._forked()


os.register_at_fork(after_in_child=_after_fork)
