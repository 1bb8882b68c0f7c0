"""What a controller sees of every bucket."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bidlock.errors import BackendError, ConfigurationError
from bidlock.migration.sight import Bucket, Quarantine
from bidlock.settings import MARGIN_RATE
from bidlock_redis import buckets, durability, facts
from bidlock_redis.durability import Durability

if TYPE_CHECKING:
    from bidlock_redis.backend import RedisBackend
    from bidlock_redis.buckets import BucketState


async def survey(backend: RedisBackend, epoch: int) -> tuple[Bucket, ...]:
    """See `bidlock.migration.port.TargetStore.survey`.

    Raises:
        ConfigurationError: a bucket is laid out otherwise than this client was told.
    """
    return tuple(await asyncio.gather(*(_bucket(backend, epoch, bucket) for bucket in range(backend.config.buckets))))


async def _bucket(backend: RedisBackend, epoch: int, bucket: int) -> Bucket:
    try:
        state = await buckets.read(backend, bucket)
        refuse_other_layout(backend, state)
        server = await _facts(backend, bucket)
        return seen(state, epoch, await _durability(backend, bucket, server), evicts=server.evicts)
    except BackendError:
        return Bucket(reachable=False)


def refuse_other_layout(backend: RedisBackend, state: BucketState) -> None:
    """Refuse a bucket in which we would look for keys in the wrong places.

    Raises:
        ConfigurationError: with what it has and what we were told.
    """
    if state.meta and state.stamp != backend.stamp:
        raise ConfigurationError(
            f"the target store was laid out with {state.stamp} (format|buckets|hash), this client expects {backend.stamp}; "
            "set BIDLOCK_BUCKETS to the store's number, or correct its URL or prefix; nothing was changed"
        )


async def _facts(backend: RedisBackend, bucket: int) -> facts.ServerFacts:
    """What the server says of itself now; it may have been set otherwise since the connection was made."""
    keys = backend.keys(bucket)
    said = [await backend.command(keys, b"INFO", section) for section in (b"persistence", b"replication", b"memory")]
    return facts.read(b"\n".join(said).decode())


async def _durability(backend: RedisBackend, bucket: int, server: facts.ServerFacts) -> Durability:
    """Whether the server acknowledges nothing that a crash may lose; where replicas may take over, only if all of them acknowledged, too."""
    if backend.options.kind in ("sentinel", "cluster") and not backend.options.wait_replicas:
        return Durability(False, ("a replica that knows less may take over; put wait_replicas= into every URL",), {})
    return await durability.read(backend, backend.keys(bucket), server)


def seen(state: BucketState, epoch: int, persistence: Durability, *, evicts: str) -> Bucket:
    """A bucket's state in a controller's words; `synced` means stamped with this epoch."""
    now = Bucket(
        counter=state.counter,
        quarantine=_quarantine(state),
        durable=persistence.durable,
        evicts=evicts,
        doubt="; ".join(persistence.warnings),
        run_id=state.run_id,
        clock_ms=state.time_ms,
    )
    if not state.meta:
        return replace(now, initialised=False)
    return replace(
        now,
        running=state.live,
        incarnation=state.number("inc"),
        epoch=state.number("epoch"),
        modes=frozenset(state.meta.get("modes", "").split(",")) - {""},
        domain=state.meta.get("s_domain", ""),
        sealed=state.meta.get("sealed", ""),
        drained=_waited(state, "closed_at"),
        whole=_waited(state, "lost_at"),
        synced=state.number("synced_epoch") == epoch,
        watermark_ms=state.number("watermark"),
        owner=state.owner,
    )


def _quarantine(state: BucketState) -> Quarantine | None:
    """The plant of this very process; one of a former process means nothing."""
    if state.quarantine.get("run_id") != state.run_id:
        return None
    return Quarantine(state.quarantine["nonce"], int(state.quarantine["since"]))


def _waited(state: BucketState, since: str) -> bool:
    """Whether the longest lease and the margin have passed since a moment, by the server's clock."""
    return state.time_ms - state.number(since) >= state.number("ttl_max") * (1 + MARGIN_RATE) + state.number("margin")
