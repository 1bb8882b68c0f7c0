"""The controller's port on Redis and Valkey: every write is one conditional script on one bucket."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable

from bidlock.backend import FORMAT, SELF, BackendConfig
from bidlock.errors import ConfigurationError
from bidlock.migration.port import Constitution, MarkerRow, Outcome, Tail
from bidlock.migration.sight import Bucket
from bidlock.postings import HASH_NAME
from bidlock_redis import buckets, copying, scripts, surveying
from bidlock_redis.backend import RedisBackend
from bidlock_redis.originals import Search
from bidlock_redis.packing import Words
from bidlock_redis.scripts import Script

_OUTCOMES = {
    **{outcome.value.encode(): outcome for outcome in Outcome},
    b"ALREADY": Outcome.LIVE,
    b"NONCE": Outcome.CHANGED,
}


class RedisTarget:
    """One Redis, Valkey or cluster as the server that a fleet goes to. Fills `bidlock.migration.port.TargetStore`.

    The configuration's owner is the controller's own id; `self` when it does not know it yet: then a store's owner is
    not compared by each write, and the controller compares it when it looks.
    """

    def __init__(self, config: BackendConfig) -> None:
        self._backend = RedisBackend(config, may_evict=True)
        self._owner = "" if config.owner == SELF else config.owner
        self._originals = Search()

    async def open(self) -> None:
        """See `MigratableStore.open`."""
        await self._backend.open()

    async def close(self) -> None:
        """See `MigratableStore.close`."""
        await self._backend.close()

    async def survey(self, epoch: int) -> tuple[Bucket, ...]:
        """See `TargetStore.survey`."""
        return await surveying.survey(self._backend, epoch)

    async def original_lock(self) -> str:
        """See `TargetStore.original_lock`."""
        return await self._originals.go_on(self._backend.route.links())

    # -- windows

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.fence`."""
        return await self._run(scripts.WINDOW, bucket, epoch, "", _listed(modes))

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.open_mode`."""
        return await self._run(scripts.WINDOW, bucket, epoch, mode, "")

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """See `MigratableStore.close_mode`."""
        return await self._run(scripts.WINDOW, bucket, epoch, "", _listed({mode}))

    async def seal(self, bucket: int, nonce: str, epoch: int) -> Outcome:
        """See `TargetStore.seal`."""
        return await self._run(scripts.SEAL, bucket, epoch, nonce)

    async def reopen(self, bucket: int, nonce: str, modes: frozenset[str], epoch: int) -> Outcome:
        """See `TargetStore.reopen`."""
        return await self._run(scripts.REOPEN, bucket, epoch, nonce, _listed(modes))

    async def adopt(self, bucket: int, domain: str, epoch: int) -> Outcome:
        """See `TargetStore.adopt`."""
        return await self._run(scripts.ADOPT, bucket, epoch, domain)

    async def raise_watermark(self, watermark_ms: int, epoch: int, bucket: int = 0) -> Outcome:  # noqa: ARG002 # only ever raised, so an older controller may, too
        """See `MigratableStore.raise_watermark`."""
        return await self._run(scripts.WATERMARK, bucket, "", watermark_ms)

    # -- copies

    def copy_out(self, bucket: int) -> AsyncIterator[list[MarkerRow]]:
        """See `MigratableStore.copy_out`."""
        return copying.copy_out(self._backend, self._backend.keys(bucket))

    async def tail(self, bucket: int) -> Tail:
        """See `MigratableStore.tail`."""
        state = await buckets.read(self._backend, bucket)
        return Tail(state.counter, state.number("watermark"))

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.copy_in`; rows of other buckets are left out."""
        keys = self._backend.keys(bucket)
        for chunk in copying.chunks(rows, bucket, self._backend.config.buckets):
            touched, words = copying.insertion(keys, chunk)
            outcome = _OUTCOMES[await self._backend.run(scripts.COPYIN, keys, touched, (self._owner, "", seen, *words))]
            if outcome is not Outcome.OK:
                return outcome
        return Outcome.OK

    async def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """See `MigratableStore.stamp`. With `wait_replicas` its answer counts once they have it, and so the markers before it."""
        keys = self._backend.keys(bucket)
        words = (self._owner, epoch, seen, tail.counter, tail.watermark_ms)
        return _OUTCOMES[await self._backend.run(scripts.STAMP, keys, (keys.meta, keys.counter), words)]

    # -- incarnations

    async def take_over(self, constitution: Constitution) -> Outcome:
        """See `TargetStore.take_over`. No bucket is written before all were seen to be fit."""
        states = await asyncio.gather(*(buckets.read(self._backend, bucket) for bucket in self._buckets()))
        for state in states:
            surveying.refuse_other_layout(self._backend, state)
        if not all(state.live for state in states):
            return Outcome.CLOSED
        if any(state.owner not in (SELF, constitution.owner) for state in states):
            return Outcome.OWNER
        for bucket in self._buckets():
            outcome = await self._take_over(bucket, constitution)
            if outcome is not Outcome.OK:
                return outcome
        return Outcome.OK

    async def plant(self, bucket: int) -> Outcome:
        """See `TargetStore.plant`."""
        keys = self._backend.keys(bucket)
        word, _ = await self._backend.run(scripts.PLANT, keys, (keys.meta, keys.quarantine), (uuid.uuid4().hex, self._owner))
        return _OUTCOMES[word]

    async def bless(
        self, bucket: int, nonce: str, constitution: Constitution, modes: frozenset[str], *, incarnation: int, seal: str, kept: bool
    ) -> Outcome:
        """See `TargetStore.bless`."""
        keys = self._backend.keys(bucket)
        words = (
            nonce,
            constitution.owner,
            FORMAT,
            self._backend.config.buckets,
            HASH_NAME,
            _listed(modes),
            constitution.epoch,
            incarnation,
            seal,
            constitution.watermark_ms,
            constitution.domain,
            constitution.ttl_max_ms,
            constitution.margin_ms,
            int(kept),
        )
        word = await self._backend.run(scripts.BLESS, keys, (keys.meta, keys.counter, keys.quarantine), words)
        if word == b"FORMAT":
            raise ConfigurationError(f"bucket {bucket} of the target store is laid out otherwise than {self._backend.stamp}")
        return _OUTCOMES[word]

    async def _take_over(self, bucket: int, constitution: Constitution) -> Outcome:
        keys = self._backend.keys(bucket)
        words = (constitution.owner, constitution.epoch, constitution.domain, constitution.watermark_ms, constitution.ttl_max_ms)
        return _OUTCOMES[await self._backend.run(scripts.TAKEOVER, keys, (keys.meta,), words)]

    async def _run(self, script: Script, bucket: int, epoch: int | str, *own: str | int) -> Outcome:
        """Run a script that touches nothing but the meta."""
        keys = self._backend.keys(bucket)
        words: Words = (self._owner, epoch, *own)
        return _OUTCOMES[await self._backend.run(script, keys, (keys.meta,), words)]

    def _buckets(self) -> Iterable[int]:
        return range(self._backend.config.buckets)


def _listed(modes: Iterable[str]) -> str:
    """Modes as the guard looks for them."""
    return f",{','.join(sorted(modes))}," if modes else ""
