"""The front door: bid once, hold, look, break."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from bidlock import acquiring, bidding, events
from bidlock.asks import Ask, PostedAt, check_duration, milliseconds, ttl_milliseconds
from bidlock.attempts import Refusal
from bidlock.backend import Inspection, LeaseRecord, Observed
from bidlock.bidding import Place, Result
from bidlock.client import Client
from bidlock.clock import Clock, SystemClock
from bidlock.errors import BackendUnavailable, BidlockError, ConfigurationError, NotAcquired
from bidlock.holding import Held
from bidlock.leases import Lease
from bidlock.modes import Mode, Role
from bidlock.modesources import ModeSource
from bidlock.outcomes import Placed, Skipped, SkipReason
from bidlock.plugins import Plugins
from bidlock.postings import posting
from bidlock.settings import Settings
from bidlock.stores import Store


class Locks:
    """The locks of one fleet, as this process sees them. Made by `bidlock.connect`; one object serves one event loop."""

    def __init__(
        self, stores: Mapping[Role, Store], modes: ModeSource, settings: Settings, plugins: Plugins, clock: Clock | None = None
    ) -> None:
        """Put a client together; nothing is opened before `async with` or `open()`.

        Args:
            stores: The store for each role that a mode may name.
            modes: Which stores decide.
            settings: Everything configurable.
            plugins: Whose observers are told.
            clock: Time; None for the machine's.
        """
        self.settings = settings
        self._client = Client(stores, modes, settings, plugins, clock or SystemClock())

    @property
    def mode(self) -> Mode:
        """Which stores decide the next attempt."""
        return self._client.mode

    async def open(self) -> Self:
        """Reach the stores. One that is merely out of reach is no error: attempts are skipped as `unreachable` until it answers.

        Raises:
            ConfigurationError: a store cannot be trusted; the message says what to do.
        """
        for store in self._client.stores.values():
            await store.open()
        return self

    async def close(self) -> None:
        """Finish what is under way in the background, and give the stores up. Leases still held expire."""
        await self._client.background.drain(self.settings.reach_timeout)
        for store in self._client.stores.values():
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
        got = await acquiring.acquire(self._client, self._ask(marketplace, posting_id, ttl, posted_at, timeout, None, bids=True))
        if isinstance(got, Refusal):
            return Skipped(got.reason, got.detail)
        return await bidding.bid(self._client, got, place)

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
        return _Hold(
            self._client,
            self._ask(marketplace, posting_id, ttl, posted_at, self.settings.timeout if timeout is None else timeout, max_hold),
        )

    async def try_hold(
        self, marketplace: str, posting_id: str, *, ttl: float | None = None, posted_at: PostedAt = None, max_hold: float | None = None
    ) -> Lease | None:
        """The bare lock if it is free now; never waits for another holder. Release it with `await lease.release()`.

        Returns:
            The lease, or None.

        Raises:
            BackendUnavailable: the store did not answer.
        """
        got = await acquiring.acquire(self._client, self._ask(marketplace, posting_id, ttl, posted_at, 0.0, max_hold))
        if isinstance(got, Held):
            return got.lease
        if got.reason is SkipReason.UNREACHABLE:
            raise BackendUnavailable(got.detail)
        return None

    async def inspect(self, marketplace: str, posting_id: str) -> Inspection:
        """Who holds the posting, since when, and what became of it, as the deciding store knows.

        Raises:
            BackendError: the store did not answer.
        """
        return await self._client.deciding.backend.inspect(posting(marketplace, posting_id))

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
            broken = await self._client.stores[role].backend.break_(what, by=by, reason=reason) or broken
        if broken:
            self._client.publish(events.Broken, what, by=by, reason=reason, token=broken.token)
        return broken

    async def observe(self) -> Observed:
        """What the deciding store says about itself.

        Raises:
            BackendError: the store did not answer.
        """
        return await self._client.deciding.backend.observe()

    def _ask(
        self,
        marketplace: str,
        posting_id: str,
        ttl: float | None,
        posted_at: PostedAt,
        timeout: float,
        max_hold: float | None,
        *,
        bids: bool = False,
    ) -> Ask:
        ttl_ms = ttl_milliseconds(self.settings.ttl if ttl is None else ttl)
        check_duration("timeout", timeout)
        for role in self.mode.required:
            if role in self._client.stores:
                self._client.stores[role].check_ttl(ttl_ms)
        longest = self.settings.max_hold if max_hold is None else max_hold
        check_duration("max_hold", longest)
        return Ask(posting(marketplace, posting_id), ttl_ms, milliseconds(posted_at), timeout, longest, bids)


class _Hold(contextlib.AbstractAsyncContextManager[Lease]):
    """`Locks.hold`; may be entered and left in different tasks."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._client = client
        self._ask = ask
        self._held: Held | None = None

    async def __aenter__(self) -> Lease:
        got = await acquiring.acquire(self._client, self._ask)
        if isinstance(got, Refusal):
            raise _not_acquired(self._ask, got)
        self._held = got
        return got.lease

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._held is not None:
            await self._held.end()


def _not_acquired(ask: Ask, refusal: Refusal) -> BidlockError:
    detail = f" ({refusal.detail})" if refusal.detail else ""
    message = f"{ask.posting.key} was not acquired within {ask.timeout:g} s: {refusal.reason.value}{detail}"
    if refusal.reason is SkipReason.UNREACHABLE:
        return BackendUnavailable(message)
    return NotAcquired(message, reason=refusal.reason)
