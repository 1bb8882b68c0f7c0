"""The real stores of one replay: a SQLite file, a Redis or Valkey server, their bidders' and controller's ports.

Time is the only thing that is made: leases live for long, and run out when the model says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import redis
from migration_model.scenario import Scenario
from migration_model.world import World, durable_part

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.errors import BackendError
from bidlock.migration.acting import Stores
from bidlock.migration.port import Constitution, Outcome
from bidlock.postings import Posting, posting
from bidlock_redis.backend import RedisBackend
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.testing.servers import Server
from bidlock_sqlite.backend import SqliteBackend
from bidlock_sqlite.controlled import SqliteOrigin

OWNER = "replayed-fleet"
TTL_MS, MARGIN_MS = 3_600_000, 60_000
TRIES = 20
LONG_AGO = "1"
"""A moment from which every lease has run out, Unix milliseconds."""

Answer = TypeVar("Answer")


class Snapshot(NamedTuple):
    """Every key as it was dumped, with the moment it expires (-1: never); and the nonce in the posting's lease."""

    keys: dict[bytes, tuple[bytes, int]]
    holder: str


class Stage:
    """Real stores, and what happens to them."""

    def __init__(self, scenario: Scenario, server: Server, folder: Path) -> None:
        self.server = server
        self.path = folder / "bids.db"
        self.posting = _posting_in_first_bucket(scenario.buckets)
        self.raw = redis.Redis(server.host, server.port)
        self.stores = Stores(SqliteOrigin(self._file("self", scenario)), RedisTarget(self._redis("self", scenario)))
        self.redis = RedisBackend(self._redis(OWNER, scenario))
        self.file = SqliteBackend(self._file(OWNER, scenario))
        self._scenario = scenario
        self._disk: Snapshot | None = None
        self._backup: Snapshot | None = None

    def _file(self, owner: str, scenario: Scenario) -> BackendConfig:
        return BackendConfig(parse(f"sqlite:///{self.path}"), owner=owner, buckets=scenario.buckets)

    def _redis(self, owner: str, scenario: Scenario) -> BackendConfig:
        return BackendConfig(parse(self.server.url), owner=owner, buckets=scenario.buckets)

    @property
    def target(self) -> RedisTarget:
        """The controller's port on Redis."""
        assert isinstance(self.stores.target, RedisTarget)
        return self.stores.target

    @property
    def origin(self) -> SqliteOrigin:
        """The controller's port on the file."""
        assert isinstance(self.stores.origin, SqliteOrigin)
        return self.stores.origin

    async def settle(self, world: World) -> None:
        """Bring both stores to the model's first state."""
        assert world.known is not None
        self.raw.flushall()
        fresh = Constitution(OWNER, world.known.epoch, "", TTL_MS, MARGIN_MS)
        _agreed(await self.origin.constitute(fresh, world.files[0].modes))
        if self._scenario.bots == "bare":  # a controller's file has the fence from the first moment
            _agreed(await self.origin.remove_fence(world.known.epoch))
            _agreed(await self.origin.open_mode("legacy", world.known.epoch))
        domain = (await self.origin.survey(0)).domain
        for number, bucket in enumerate(world.buckets):
            _agreed(await self.target.plant(number))
            quarantine = (await self.target.survey(0))[number].quarantine
            assert quarantine is not None
            known = Constitution(OWNER, world.known.epoch, domain, TTL_MS, MARGIN_MS)
            _agreed(await self.target.bless(number, quarantine.nonce, known, bucket.modes, incarnation=0, seal="", kept=True))
        self.note_disk(world)

    # -- time

    def expire_in_redis(self, nonces: set[str] | None = None) -> None:
        """The posting's lease runs out, whoever has it; with nonces only theirs, also in copies."""
        if nonces is None or self._holder() in nonces:
            self.raw.delete(self._lease_key())
        for name in ("_disk", "_backup"):
            copy: Snapshot | None = getattr(self, name)
            if nonces and copy and copy.holder in nonces:
                kept = {key: value for key, value in copy.keys.items() if key != self._lease_key().encode()}
                setattr(self, name, Snapshot(kept, ""))

    def expire_in_file(self, nonces: set[str] | None = None) -> None:
        """The posting's row runs out, whoever has it; with nonces (or an original bot's name) only theirs."""
        for holder in nonces if nonces is not None else {"%"}:
            self.in_file("UPDATE distributed_locks SET expires_at = 0 WHERE holder_id LIKE ?", f"%{holder}")

    def in_file(self, statement: str, *arguments: object) -> None:
        """What somebody else does in the file."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection:
            connection.execute(statement, arguments)

    def run_timers_down(self, number: int, *, drained: bool, whole: bool) -> None:
        """Let the TTL pass since the last closing, since the last loss, or both."""
        past = {name: LONG_AGO for name, over in (("closed_at", drained), ("lost_at", whole)) if over}
        self.raw.hset(self._meta_key(number), mapping=past)  # type: ignore[arg-type]  # text is as good as bytes

    # -- faults

    def restart(self, world: World) -> None:
        """Kill Redis and start it again; it has what the model says was on its disk, or on the promoted replica."""
        assert world.disk is not None
        forgets = not self._scenario.durable or world.disk != durable_part(world.buckets[0])
        self._replace_server(self._disk if forgets else None)

    def _replace_server(self, content: Snapshot | None) -> None:
        """Another process; with the content of a copy in the posting's bucket. The other bucket is elsewhere in the model."""
        other, run_id = self._snapshot(1), self._run_id()
        self.server.kill()
        self.server.launch()
        if content is not None:
            self.raw.flushall()
            self._restore(content)
            self._restore(other)
        for key in (self._meta_key(1), self._key(1, "quarantine")):
            if self.raw.hget(key, "run_id") == run_id:
                self.raw.hset(key, "run_id", self._run_id())

    def _run_id(self) -> bytes:
        return str(self.raw.info("server")["run_id"]).encode()

    def wipe(self) -> None:
        """Empty the posting's bucket under the running process."""
        self._empty(0)

    def bring_back_older_copy(self) -> None:
        """Another process, with what the copy holds."""
        self._replace_server(self._backup)

    def restart_other_bucket(self) -> None:
        """Its postings are not followed: it is enough that its meta is of another process."""
        self.raw.delete(self._key(1, "quarantine"))
        if self.raw.exists(self._meta_key(1)):
            self.raw.hset(self._meta_key(1), "run_id", "f" * 40)

    def wipe_other_bucket(self) -> None:
        """The other one."""
        self._empty(1)

    def _empty(self, number: int) -> None:
        for key in self.raw.scan_iter(self._key(number, "*"), count=1000):
            self.raw.delete(key)

    async def replace_file(self) -> None:
        """Another, empty file stands where the file was; processes that come from now on open that one."""
        await self.file.close()
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()
        self.in_file("PRAGMA journal_mode = WAL")
        self.file = SqliteBackend(self._file(OWNER, self._scenario))
        await self.file.open()

    def note_disk(self, world: World) -> None:
        """The disk or the replica has what Redis has now."""
        if world.disk is not None:
            self._disk = self._snapshot(0)

    def note_backup(self) -> None:
        """A copy is made."""
        self._backup = self._snapshot(0)

    def _snapshot(self, number: int) -> Snapshot:
        keys = {key: (self.raw.dump(key), self.raw.pexpiretime(key)) for key in self.raw.scan_iter(self._key(number, "*"), count=1000)}
        return Snapshot(keys, self._holder())

    def _restore(self, snapshot: Snapshot) -> None:
        for key, (value, until) in snapshot.keys.items():
            self.raw.restore(key, max(until, 0), value, absttl=until > 0)

    def _holder(self) -> str:
        value = self.raw.get(self._lease_key())
        return value.split(b"|")[0].decode() if isinstance(value, bytes) else ""

    def _lease_key(self) -> str:
        return self.redis.keys(0).lease(self.posting)

    def _meta_key(self, number: int) -> str:
        return self.redis.keys(number).meta

    def _key(self, number: int, name: str) -> str:
        return self._meta_key(number).removesuffix("meta") + name


@contextlib.asynccontextmanager
async def staged(scenario: Scenario, server: Server, folder: Path) -> AsyncIterator[Stage]:
    """Real stores in the scenario's first state."""
    stage = Stage(scenario, server, folder)
    try:
        await stage.settle(scenario.initial())
        await stage.redis.open()
        await stage.file.open()
        yield stage
    finally:
        await stage.redis.close()
        await stage.file.close()
        await stage.stores.origin.close()
        await stage.stores.target.close()
        stage.raw.close()


async def insisted(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, however often it must be asked: a connection may have gone with the server."""
    for _ in range(TRIES):
        with contextlib.suppress(BackendError):
            return await question()
        await asyncio.sleep(0.01)
    return await question()


def _posting_in_first_bucket(buckets: int) -> Posting:
    candidates = (posting("replay", str(number)) for number in range(1000))
    return next(candidate for candidate in candidates if candidate.bucket(buckets) == 0)


def _agreed(outcome: Outcome) -> None:
    if outcome is not Outcome.OK:
        raise AssertionError(f"the stores cannot be brought to the first state: {outcome.value}")
