"""Real files, and the original bot written down as it was: plain SQL, one connection per step."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bidlock.addresses import parse
from bidlock.backend import SELF, BackendConfig, SelfMeta, Ticket
from bidlock.postings import posting
from bidlock_sqlite.backend import SqliteBackend

META = SelfMeta("sqlite", ttl_max_ms=3_600_000, margin_ms=5_000)

MakeBackend = Callable[..., Awaitable[SqliteBackend]]


def _ticket(name: str = "~01ab", marketplace: str = "upwork", ttl_ms: int = 300_000, **other: object) -> Ticket:
    fields = {"mode": "sqlite", "holder": "host:1", "nonce": secrets.token_hex(16), **other}
    return Ticket(posting(marketplace, name), ttl_ms=ttl_ms, **fields)  # type: ignore[arg-type]


MakeTicket = Callable[..., Ticket]


@pytest.fixture
def ticket() -> MakeTicket:
    """Makes tickets of attempts that never were before."""
    return _ticket


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bids.db"


@pytest.fixture
async def make(path: Path) -> AsyncIterator[MakeBackend]:
    """Builds opened backends over one file, and closes them."""
    async with AsyncExitStack() as stack:

        async def build(*, owner: str = SELF, options: str = "", opened: bool = True, **config: object) -> SqliteBackend:
            address = parse(f"sqlite:///{path}{options}")
            backend = SqliteBackend(BackendConfig(address, owner=owner, **config))  # type: ignore[arg-type]
            stack.push_async_callback(backend.close)
            await backend.open()
            if opened and owner == SELF:
                assert await backend.open_self(META)
            return backend

        yield build


@pytest.fixture
async def store(make: MakeBackend) -> SqliteBackend:
    return await make()
