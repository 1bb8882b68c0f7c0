"""Controllers over a memory store or a file as origin, and a real server as target."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket
from bidlock.migration import Wish
from bidlock.migration.acting import Stores
from bidlock.migration.actions import Action
from bidlock.migration.connecting import close_both, open_both
from bidlock.migration.controller import Controller
from bidlock.migration.memory import MemoryOrigin
from bidlock.migration.port import Constitution, Outcome
from bidlock.migration.registerfile import RegisterFile
from bidlock.migration.sight import Bucket
from bidlock.postings import posting
from bidlock_redis.backend import RedisBackend
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.testing.servers import Server, start
from bidlock_sqlite.controlled import SqliteOrigin

TTL_MS, MARGIN_MS = 200, 10

Walk = Callable[..., Awaitable[list[Action]]]


@pytest.fixture
def origin_url(buckets: int, tmp_path: Path) -> str:
    """A memory store; it has one bucket, so for several a file."""
    return f"memory://{uuid.uuid4().hex}" if buckets == 1 else f"sqlite:///{tmp_path / 'origin.db'}"


@pytest.fixture
def file(tmp_path: Path) -> RegisterFile:
    return RegisterFile(tmp_path / "register.json")


@pytest.fixture
async def stores(origin_url: str, target_url: str, buckets: int) -> AsyncIterator[Stores]:
    """The two stores; the test's module names `target_url`."""
    target = RedisTarget(BackendConfig(parse(target_url), buckets=buckets))
    origin = (MemoryOrigin if buckets == 1 else SqliteOrigin)(BackendConfig(parse(origin_url), buckets=buckets))
    both = Stores(origin, target)
    await open_both(both)
    yield both
    await close_both(both)


@pytest.fixture
def controller(file: RegisterFile, stores: Stores) -> Controller:
    return Controller(file, stores, ttl_max_ms=TTL_MS, margin_ms=MARGIN_MS)


@pytest.fixture
def walk(controller: Controller) -> Walk:
    """Walk to a mode; what was done on the way."""

    async def to(mode: str, **wishes: object) -> list[Action]:
        steps: list[Action] = []
        await controller.walk(Wish(mode, **wishes), lambda step: steps.append(step.action))
        return steps

    return to


# -- one store, verb by verb

EPOCH = (7 << 32) | 9
"""Beyond what 32 bits hold, as every epoch of a rebuilt register."""
INCARNATION = 3
FLEET = "fleet-1"


class Store:
    """A target of its own on a real server, and what is written in it."""

    def __init__(self, server: Server, buckets: int) -> None:
        self.server = server
        self.buckets = buckets
        self.prefix = f"t{uuid.uuid4().hex[:12]}"
        self.target = RedisTarget(self.config())
        self._opened: list[RedisTarget | RedisBackend] = [self.target]

    def config(self, owner: str = "self", **changes: Any) -> BackendConfig:
        config = BackendConfig(parse(f"{self.server.url}?prefix={self.prefix}"), owner=owner, buckets=self.buckets)
        return replace(config, **changes)

    async def controller(self, **config: Any) -> RedisTarget:
        """Another controller."""
        target = RedisTarget(self.config(**config))
        self._opened.append(target)
        await target.open()
        return target

    async def client(self, owner: str = FLEET) -> RedisBackend:
        """A bidder."""
        backend = RedisBackend(self.config(owner))
        self._opened.append(backend)
        await backend.open()
        return backend

    async def self_client(self) -> RedisBackend:
        """A bidder that opened the store for itself."""
        backend = await self.client("self")
        assert await backend.open_self(SelfMeta("only", ttl_max_ms=3_600_000, margin_ms=60_000))
        return backend

    async def plant(self, bucket: int = 0) -> str:
        """Plant; the nonce."""
        assert await self.target.plant(bucket) is Outcome.OK
        seen = (await self.look(bucket)).quarantine
        assert seen is not None
        return seen.nonce

    async def bless(self, bucket: int = 0, nonce: str = "", *modes: str, seal: str = "", kept: bool = True, **changes: Any) -> Outcome:
        """Bless with what was planted, or with another nonce."""
        incarnation = changes.pop("incarnation", INCARNATION)
        terms = {"owner": FLEET, "epoch": EPOCH, "domain": "file-1", "ttl_max_ms": 3_600_000, "margin_ms": 60_000, **changes}
        nonce = nonce or await self.plant(bucket)
        return await self.target.bless(
            bucket, nonce, Constitution(**terms), frozenset(modes), incarnation=incarnation, seal=seal, kept=kept
        )

    async def opened(self, *modes: str, **changes: Any) -> Store:
        """Every bucket blessed."""
        for bucket in range(self.buckets):
            assert await self.bless(bucket, "", *modes, **changes) is Outcome.OK
        return self

    async def look(self, bucket: int = 0, epoch: int = EPOCH) -> Bucket:
        return (await self.target.survey(epoch))[bucket]

    def key(self, name: str, bucket: int = 0) -> str:
        return f"{{{self.prefix}:{bucket}}}:{name}"

    def meta(self, bucket: int = 0) -> dict[str, str]:
        return self.server.command("HGETALL", self.key("meta", bucket))

    def write(self, bucket: int = 0, **fields: str | int) -> None:
        """Change the meta by hand."""
        for field, value in fields.items():
            self.server.command("HSET", self.key("meta", bucket), field, value)

    def now_ms(self) -> int:
        seconds, micros = self.server.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    def dump(self) -> dict[str, Any]:
        """Everything that is written."""
        read = {"hash": "HGETALL", "string": "GET"}
        keys = self.server.command("KEYS", f"{{{self.prefix}:*")
        return {key: self.server.command(read[self.server.command("TYPE", key)], key) for key in keys}

    def ticket(self, posting_id: str = "1", mode: str = "only", **fields: Any) -> Ticket:
        return Ticket(posting("upwork", posting_id), uuid.uuid4().hex, mode, "host:1", **{"ttl_ms": 30_000, **fields})

    async def close(self) -> None:
        for each in self._opened:
            await each.close()


@pytest.fixture(scope="session", params=["valkey-9.1", "redis-6.2"])
def each_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The newest and the oldest server; leave it as it was."""
    with start(request.param, directory=tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
async def store(each_server: Server) -> AsyncIterator[Store]:
    """A store of two buckets that nobody opened yet."""
    store = Store(each_server, buckets=2)
    await store.target.open()
    yield store
    await store.close()


@pytest.fixture
async def own_store(tmp_path: Path) -> AsyncIterator[Store]:
    """The same on a server of its own, to be hurt."""
    with start(directory=tmp_path / "server") as server:
        store = Store(server, buckets=2)
        await store.target.open()
        yield store
        await store.close()
