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
    from bidlock_redis.backend import RedisBackend

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
    return not empty or not await _strangers(backend, empty)


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


async def _strangers(backend: RedisBackend, empty: set[int]) -> bool:
    """Whether a bucket without meta holds keys all the same, except a quarantine: then something was lost or moved."""
    tags = {f"{{{backend.keys(bucket).tag}}}:": bucket for bucket in empty}
    for link in backend.route.links():
        cursor: bytes | int = 0
        while True:
            pattern = f"{{{backend.prefix}:*}}:*"
            cursor, found = await link.submit(None, (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", _SCAN_STEP))
            for name in found:
                tag, _, rest = name.decode(errors="replace").partition("}:")
                if f"{tag}}}:" in tags and rest not in ("quarantine", "meta"):
                    return True
            if int(cursor) == 0:
                break
    return False
