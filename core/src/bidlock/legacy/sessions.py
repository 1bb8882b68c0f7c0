"""A manager's locks on one event loop: taken for a fixed time, given back by their holder or by a timer."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from bidlock.acquiring import TRANSIENT, acquire
from bidlock.asks import Ask
from bidlock.attempts import Refusal
from bidlock.errors import BackendError, ConfigurationError
from bidlock.holding import Held
from bidlock.legacy.metrics import Metrics
from bidlock.locks import Locks
from bidlock.outcomes import SkipReason
from bidlock.postings import Posting
from bidlock.settings import MARGIN_RATE

_STORE_TROUBLE = frozenset({SkipReason.UNREACHABLE, SkipReason.BUSY, SkipReason.CLOSED})


@dataclass(eq=False, slots=True)
class _Taken:
    holder_id: str
    held: Held
    timer: asyncio.TimerHandle


class Session:
    """The locks one manager holds on one event loop."""

    def __init__(self, locks: Locks, metrics: Metrics) -> None:
        """Nothing is reached before the first call.

        Args:
            locks: An unopened client.
            metrics: Counted here.
        """
        self._locks = locks
        self._client = locks._client  # noqa: SLF001 — marking what an original bot would leave unmarked needs the attempt itself
        self._metrics = metrics
        self._taken: dict[str, _Taken] = {}
        self._opening = asyncio.Lock()
        self._open = False

    async def take(self, posting: Posting, *, ttl: float, timeout: float, holder_id: str) -> bool:
        """Take the lock for `ttl` seconds, waiting up to `timeout` seconds; False when it was not to be had.

        Raises:
            ConfigurationError: the store cannot be used, or `ttl` is not above 0; says what to do.
        """
        await self._ready()
        got = await self._acquire(self._ask(posting, ttl, timeout))
        if isinstance(got, Held) and self._locks.settings.policy:
            got = await self._presume(got)
        if isinstance(got, Refusal):
            self._metrics.refused(got.reason, trouble=got.reason in _STORE_TROUBLE)
            return False
        self._metrics.count("lock_successes")
        self._keep(posting.key, holder_id, got, ttl)
        return True

    async def give_back(self, key: str, holder_id: str) -> bool:
        """Release a lock of this holder.

        False when it holds none, when it had run out, or when the store did not answer (then it goes on in the background).
        """
        taken = self._taken.get(key)
        if taken is None or taken.holder_id != holder_id:
            return False
        del self._taken[key]
        taken.timer.cancel()
        release = self._client.background.spawn(taken.held.end())
        done, _ = await asyncio.wait({release}, timeout=self._locks.settings.reach_timeout)
        if not done:
            self._metrics.trouble()
            return False
        return release.result()

    async def give_all_back(self) -> None:
        """Release every lock this session holds."""
        for key, taken in list(self._taken.items()):
            await self.give_back(key, taken.holder_id)

    async def healthy(self) -> bool:
        """Whether the store answers and is open."""
        try:
            await self._ready()
            observed = await self._locks.observe()
        except (BackendError, ConfigurationError):
            self._metrics.trouble()
            return False
        return observed.initialised and observed.live

    async def close(self) -> None:
        """Give the store up; locks still held live on until their TTL ends, as the original's did."""
        for taken in self._taken.values():
            taken.timer.cancel()
        self._taken.clear()
        if self._open:
            self._open = False
            await self._locks.close()

    async def _ready(self) -> None:
        async with self._opening:
            if not self._open:
                await self._locks.open()
                self._open = True

    async def _acquire(self, ask: Ask) -> Held | Refusal:
        """Try once, so that a conflict can be counted, then wait for what is left of the timeout."""
        started = self._client.clock.monotonic()
        got = await acquire(self._client, ask._replace(timeout=0.0))
        if isinstance(got, Refusal) and got.reason is SkipReason.HELD:
            self._metrics.count("lock_conflicts")
        left = ask.timeout - (self._client.clock.monotonic() - started)
        if isinstance(got, Held) or got.reason not in TRANSIENT or left <= 0:
            return got
        return await acquire(self._client, ask._replace(timeout=left))

    async def _presume(self, held: Held) -> Held | Refusal:
        """In a managed fleet whoever holds the bare lock may bid without telling us: the posting counts as bid on from here."""
        try:
            refusal = await held.attempt.presume()
        except BaseException:
            self._client.background.spawn(held.end())
            raise
        if refusal is None:
            return held
        await held.end()
        return refusal

    def _ask(self, posting: Posting, ttl: float, timeout: float) -> Ask:
        """A lease of the original's fixed length; where the store grants no such TTL, the nearest one, ended by our timer.

        A TTL below three margins would leave its holder no time that it can rely on, so the lease is longer then and
        only a crash shows it. One above the store's longest is renewed.
        """
        if not ttl > 0:
            raise ConfigurationError(f"ttl must be more than 0 seconds, not {ttl}")
        stores = self._client.stores.values()
        lowest = math.ceil(3 * max(store.margin_ms for store in stores) / (1 - 3 * MARGIN_RATE))
        longest = min(store.ttl_max_ms for store in stores)
        ttl_ms = min(max(round(ttl * 1000), lowest), longest)
        return Ask(posting, ttl_ms, 0, max(0.0, timeout), max_hold=0.0 if ttl * 1000 <= longest else ttl)

    def _keep(self, key: str, holder_id: str, held: Held, ttl: float) -> None:
        timer = asyncio.get_running_loop().call_later(ttl, self._expire, key)
        self._taken[key] = _Taken(holder_id, held, timer)

    def _expire(self, key: str) -> None:
        self._client.background.spawn(self._taken.pop(key).held.end())
