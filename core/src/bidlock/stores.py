"""One store as an attempt uses it: the backend, the part it plays, and what its meta says about time."""

from __future__ import annotations

import asyncio
import logging

import structlog

from bidlock.backend import SELF, Backend, Capabilities, Observed, SelfMeta
from bidlock.errors import BackendError, ConfigurationError
from bidlock.modes import Role
from bidlock.settings import MARGIN_RATE, Settings

log = structlog.wrap_logger(logging.getLogger("bidlock.stores"), wrapper_class=structlog.stdlib.BoundLogger)


class Store:
    """A backend in its role. A `self` store is initialised and re-opened here; a managed one never is."""

    def __init__(self, role: Role, backend: Backend, capabilities: Capabilities, settings: Settings) -> None:
        self.role = role
        self.backend = backend
        self.capabilities = capabilities
        self.margin_ms = round(settings.margin * 1000)
        self.ttl_max_ms = round(settings.ttl_max * 1000)
        self.domain = ""
        self.learned = False
        self._managed = bool(settings.policy)
        self._wish = SelfMeta(capabilities.single_mode, self.ttl_max_ms, self.margin_ms)
        self._reopening: asyncio.Task[bool] | None = None
        self._warned = False

    async def open(self) -> None:
        """Reach the store and learn its margin. A store out of reach is tried again by every attempt.

        Raises:
            ConfigurationError: the store cannot be trusted, or belongs to somebody else; the message says what to do.
        """
        try:
            await self.backend.open()
            await self._admit()
        except BackendError as error:
            log.warning("store out of reach; postings are skipped until it answers", role=self.role.value, error=str(error))

    async def ensure_learned(self, ttl_ms: int) -> None:
        """Learn margin and domain before the first lease, if the store was out of reach or not initialised when opened.

        Raises:
            BackendError: it does not answer now either.
            ConfigurationError: the TTL does not fit what was learned.
        """
        if not self.learned:
            self._learn(await self.backend.observe())
            self.check_ttl(ttl_ms)

    async def reopen(self) -> bool:
        """Open a `self` store that answers CLOSED; many callers share one try. False for a managed store."""
        if self._managed:
            return False
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.ensure_future(self._reopen())
        return await asyncio.shield(self._reopening)

    def margin(self, ttl_ms: int) -> float:
        """Seconds before a lease's end at which its holder stops believing in it."""
        return (self.margin_ms + MARGIN_RATE * ttl_ms) / 1000

    def check_ttl(self, ttl_ms: int) -> None:
        """Refuse a TTL that leaves no time to work, or is longer than the store grants, as far as it is known.

        Raises:
            ConfigurationError: says the bounds.
        """
        if not self.learned:
            return
        if ttl_ms > self.ttl_max_ms:
            raise ConfigurationError(
                f"ttl {ttl_ms / 1000:g} s is above this store's longest TTL of {self.ttl_max_ms / 1000:g} s; hold with a shorter ttl (it is renewed up to max_hold)"
            )
        if ttl_ms < 3000 * self.margin(ttl_ms):
            lowest = 3 * self.margin_ms / 1000 / (1 - 3 * MARGIN_RATE)
            raise ConfigurationError(
                f"ttl {ttl_ms / 1000:g} s is too short: this store's safety margin of {self.margin_ms / 1000:g} s + 1 % asks for at least {lowest:.3g} s; "
                "use a longer ttl, or initialise the store with a smaller BIDLOCK_MARGIN"
            )

    async def close(self) -> None:
        """Give the backend up."""
        if self._reopening is not None:
            self._reopening.cancel()
        await self.backend.close()

    async def _reopen(self) -> bool:
        try:
            opened = await self.backend.open_self(self._wish)
            if opened:
                self._learn(await self.backend.observe())
        except BackendError:
            return False
        return opened

    async def _admit(self) -> None:
        if not self._managed and not await self.backend.open_self(self._wish):
            await self._refuse()
        self._learn(await self.backend.observe())

    async def _refuse(self) -> None:
        observed = await self.backend.observe()
        if observed.initialised and observed.owner != SELF:
            raise ConfigurationError(
                f"this store belongs to {observed.owner!r}; set BIDLOCK_POLICY to work in it, or use another store or BIDLOCK_PREFIX"
            )
        raise ConfigurationError(
            "this store holds keys of this prefix but no meta: part of it was lost, so nothing is known about earlier bids; use another BIDLOCK_PREFIX, or restore it"
        )

    def _learn(self, observed: Observed) -> None:
        if not observed.initialised:
            return
        self.learned = True
        self.margin_ms, self.ttl_max_ms, self.domain = observed.margin_ms, observed.ttl_max_ms, observed.domain
        if not self._managed and not self._warned and self.capabilities.durability != "volatile" and not observed.durable:
            self._warned = True
            log.warning(
                "this store may lose acknowledged writes when it crashes, and a lost marker allows a second bid; see `bidlock doctor`"
            )
