"""One test's store and everything the test does to it: clients, tickets, other processes, patience."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from bidlock import plugins
from bidlock.addresses import parse
from bidlock.backend import Answer, Backend, BackendConfig, SelfMeta, Ticket, Verdict
from bidlock.hookspecs import BackendSpec
from bidlock.postings import Posting, posting
from bidlock.testing.harness import Harness
from bidlock.testing.remote import Remote

LONG = 60_000
"""Milliseconds; a lease of this length does not expire while a test runs."""

SHORT = 120
"""Milliseconds; a lease of this length is one whose end the test waits for."""

TTL_MAX = 600_000
"""Milliseconds; longest TTL of the stores that the kit opens."""

PATIENCE = 10.0
"""Seconds until something that must happen has failed to."""

Found = TypeVar("Found")


class Lab:
    """An empty store of a running harness, for one test.

    Attributes:
        harness: The running harness.
        spec: The backend under test.
        url: The store's URL.
        random: Seeded; the only randomness of a test.
    """

    def __init__(self, harness: Harness, spec: BackendSpec | None = None, *, seed: int = 0, name: str = "lab") -> None:
        self.harness = harness
        self.url = harness.fresh_url()
        self.spec = spec or plugins.load().backend(parse(self.url).scheme)
        self.seed = seed
        self.random = random.Random(f"{seed}/{name}")
        self._postings = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Lab:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    @property
    def mode(self) -> str:
        """The mode that a self store of this backend admits."""
        return self.spec.capabilities.single_mode

    @property
    def meta(self) -> SelfMeta:
        """What the kit's clients initialise a store with."""
        return SelfMeta(mode=self.mode, ttl_max_ms=TTL_MAX, margin_ms=0)

    @property
    def prefix(self) -> str:
        """First part of the store's keys."""
        return parse(self.url).option("prefix") or "bidlock"

    def config(self, **changes: Any) -> BackendConfig:
        """The configuration of a client of this store."""
        return replace(BackendConfig(parse(self.url), prefix=self.prefix), **changes)

    async def client(self, **changes: Any) -> Backend:
        """A new client of the store, as it is; closed when the test ends.

        Args:
            changes: Fields of `BackendConfig` that differ from the usual.
        """
        backend = self.spec.factory(self.config(**changes))
        await backend.open()
        self._stack.push_async_callback(backend.close)
        return backend

    async def opened(self, **changes: Any) -> Backend:
        """A new client of the store, which is initialised if it was not."""
        backend = await self.client(**changes)
        assert await backend.open_self(self.meta), "open_self refused an empty store, or one that is open for self clients"  # noqa: S101 — the kit's own check
        return backend

    async def remote(self, *, shift: float = 0.0) -> Remote:
        """A client of the store in a process of its own, killed when the test ends.

        Args:
            shift: How far that process's wall clock is off, seconds.
        """
        remote = await Remote.start(self.url, self.prefix, shift=shift)
        self._stack.push_async_callback(remote.kill)
        return remote

    def posting(self, posting_id: str = "") -> Posting:
        """A posting that this test did not use yet, unless it names one."""
        self._postings += 1
        return posting("market", posting_id or f"job-{self._postings}")

    def ticket(self, about: Posting | None = None, *, ttl_ms: int = LONG, holder: str = "kit:1", **fields: Any) -> Ticket:
        """A new attempt."""
        fields.setdefault("mode", self.mode)
        return Ticket(about or self.posting(), secrets.token_hex(16), holder=holder, ttl_ms=ttl_ms, **fields)

    async def until(self, what: str, ask: Callable[[], Awaitable[Found]], patience: float | None = None) -> Found:
        """Ask again and again until the answer is true.

        Args:
            what: What is waited for, for the failure.
            ask: Asks once.
            patience: Seconds until it fails; None for `PATIENCE`.

        Returns:
            The first true answer.

        Raises:
            AssertionError: it did not become true.
        """
        loop = asyncio.get_running_loop()
        patience = PATIENCE if patience is None else patience
        end = loop.time() + patience
        while not (found := await ask()):
            if loop.time() > end:
                raise AssertionError(f"within {patience:g} s it did not happen that {what}")
            await asyncio.sleep(0.005)
        return found

    async def turn(self, backend: Backend, ticket: Ticket) -> Answer:
        """Acquire again and again until nobody else holds the posting; OK or a refusal."""

        async def ask() -> Answer | None:
            answer = await backend.acquire(ticket)
            return None if answer.verdict is Verdict.HELD else answer

        answer = await self.until("the posting was no longer held", ask)
        assert answer is not None  # noqa: S101 — only a true answer ends the waiting
        return answer

    async def expired(self, backend: Backend, about: Posting) -> None:
        """Return when the posting's lease is gone."""

        async def gone() -> bool:
            return (await backend.inspect(about)).lease is None

        await self.until("the lease expired", gone)
