"""Open backends on real servers, and be sure they are closed."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket
from bidlock.postings import posting
from bidlock_redis.backend import RedisBackend

META = SelfMeta("only", ttl_max_ms=3_600_000, margin_ms=5_000)

Opener = Callable[..., Awaitable[RedisBackend]]


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """Open a backend on a URL; `blessed=False` leaves the store as it is."""
    backends: list[RedisBackend] = []

    async def open_one(url: str, *, blessed: bool = True, **config: Any) -> RedisBackend:
        backend = RedisBackend(BackendConfig(parse(url), **config))
        backends.append(backend)
        await backend.open()
        if blessed:
            assert await backend.open_self(META)
        return backend

    yield open_one
    for backend in backends:
        await backend.close()


@pytest.fixture
def ticket() -> Callable[..., Ticket]:
    """A fresh attempt."""

    def make(posting_id: str = "1", marketplace: str = "upwork", **fields: Any) -> Ticket:
        return Ticket(posting(marketplace, posting_id), uuid.uuid4().hex, "only", "host:1", **{"ttl_ms": 30_000, **fields})

    return make
