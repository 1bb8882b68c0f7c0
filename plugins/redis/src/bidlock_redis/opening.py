"""Open a `self` store: clients plant and bless for themselves what belongs to nobody else.

Bucket 0 goes first and decides: two clients that disagree about the number of buckets both try it, one of them wins,
and the other sees so before it has written anything else.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from bidlock.backend import FORMAT, SELF, SelfMeta
from bidlock.postings import HASH_NAME
from bidlock_redis import buckets, durability, observing, scripts
from bidlock_redis.buckets import BucketState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bidlock_redis.backend import RedisBackend
    from bidlock_redis.link import Link

_SCAN_STEP = 1000


async def open_self(backend: RedisBackend, meta: SelfMeta) -> bool:
    """See `bidlock.backend.Backend.open_self`."""
    if not await _admissible(backend):
        return False
    kept = await _keeps_everything(backend)
    if not await _open_bucket(backend, 0, meta, kept=kept):
        return False
    if (await buckets.read(backend, 0)).stamp != backend.stamp:
        return True  # open, for clients of another layout; the guard tells ours
    rest = range(1, backend.config.buckets)
    return all(await asyncio.gather(*(_open_bucket(backend, bucket, meta, kept=kept) for bucket in rest)))


async def _keeps_everything(backend: RedisBackend) -> bool:
    """Whether a restart loses nothing that was acknowledged; where a replica may take over, only if it acknowledged, too."""
    if backend.options.kind in ("sentinel", "cluster") and not backend.options.wait_replicas:
        return False
    server = await observing.server_facts(backend)
    return (await durability.read(backend, backend.keys(0), server)).durable


async def _admissible(backend: RedisBackend) -> bool:
    """Whether every bucket is ours or untouched."""
    states = await asyncio.gather(*(buckets.read(backend, bucket) for bucket in range(backend.config.buckets)))
    if any(state.owner not in ("", SELF) or state.quarantine.get("owner", SELF) != SELF for state in states):
        return False
    empty = {bucket for bucket, state in enumerate(states) if not state.meta}
    # Who opens at the same time puts keys there once the meta stands: only a meta that is missing after them was lost.
    return all([(await buckets.read(backend, bucket)).meta for bucket in await _holding_keys(backend, empty)])


async def _open_bucket(backend: RedisBackend, bucket: int, meta: SelfMeta, *, kept: bool) -> bool:
    """Plant and bless one bucket, unless it is live. Whoever comes second finds it live."""
    state = await buckets.read(backend, bucket)
    if state.live:
        return state.owner == SELF
    keys = backend.keys(bucket)
    planted, nonce = await backend.run(scripts.PLANT, keys, (keys.meta, keys.quarantine), (uuid.uuid4().hex, SELF))
    if planted == b"ALREADY":
        return True
    if planted != b"OK":
        return False
    arguments = (nonce, *_blessing(backend, state, meta), int(kept or not state.meta))
    verdict = await backend.run(scripts.BLESS, keys, (keys.meta, keys.counter, keys.quarantine), arguments)
    # NONCE: another client blessed between our two scripts, and the bucket is live now unless the server restarted again.
    return verdict in (b"OK", b"ALREADY") or (verdict == b"NONCE" and (await buckets.read(backend, bucket)).live)


def _blessing(backend: RedisBackend, state: BucketState, meta: SelfMeta) -> tuple[str | int, ...]:
    return (
        SELF,
        FORMAT,
        backend.config.buckets,
        HASH_NAME,
        f",{meta.mode},",
        state.number("epoch"),
        # After a wipe the counter is all that may be left to tell how high tokens were.
        max(state.number("inc"), state.counter >> 32) + 1,
        "",
        0,
        "",
        meta.ttl_max_ms,
        meta.margin_ms,
    )


async def _holding_keys(backend: RedisBackend, among: set[int]) -> set[int]:
    """Which of some buckets hold keys other than the meta and a quarantine."""
    buckets_of = {f"{{{backend.keys(bucket).tag}}}": bucket for bucket in among}
    holding: set[int] = set()
    for link in backend.route.links() if among else ():
        async for name in _scan(link, f"{{{backend.prefix}:*}}:*"):
            tag, _, rest = name.partition("}:")
            if rest not in ("quarantine", "meta"):
                holding.add(buckets_of.get(f"{tag}}}", -1))
    return holding & among


async def _scan(link: Link, pattern: str) -> AsyncIterator[str]:
    cursor: bytes | int = 0
    while True:
        cursor, names = await link.submit(None, (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", _SCAN_STEP))
        for name in names:
            yield name.decode(errors="replace")
        if int(cursor) == 0:
            return
