"""Markers on their way out of a bucket and into one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from bidlock import postings
from bidlock.migration.port import MarkerRow
from bidlock_redis import layout, scripts

if TYPE_CHECKING:
    from bidlock_redis.backend import RedisBackend
    from bidlock_redis.layout import Keys
    from bidlock_redis.packing import Words

CHUNK = 500
"""About how many markers one script reads or writes: a few milliseconds of the server, between which bidders get their turn."""

_STEP = 1024
"""How many shards are asked for their size at once."""


async def copy_out(backend: RedisBackend, keys: Keys) -> AsyncIterator[list[MarkerRow]]:
    """Every marker of a bucket.

    The shards are counted through, not scanned for: their names are known, so that a bucket which moves to another
    node of a cluster meanwhile is followed there like any key.
    """
    for first in range(0, postings.SHARDS, _STEP):
        names = tuple(keys.shard(number) for number in range(first, first + _STEP))
        sizes = await backend.run(scripts.SHARDS, keys, names, ())
        for group in _groups(names, sizes):
            found = await backend.run(scripts.COPYOUT, keys, group, ())
            yield [_row(key, marker) for shard in found for key, marker in zip(shard[::2], shard[1::2], strict=True)]


def _groups(names: tuple[str, ...], sizes: list[int]) -> Iterator[tuple[str, ...]]:
    """Shards that hold something, about a chunk together."""
    group: list[str] = []
    together = 0
    for name, size in zip(names, sizes, strict=True):
        if size:
            group.append(name)
            together += size
        if together >= CHUNK:
            yield tuple(group)
            group, together = [], 0
    if group:
        yield tuple(group)


def _row(key: bytes, marker: bytes) -> MarkerRow:
    return MarkerRow(key.decode(), *layout.parse_marker(marker.decode()))


def chunks(rows: list[MarkerRow], bucket: int, buckets: int) -> Iterator[list[tuple[int, MarkerRow]]]:
    """The rows of one bucket with the shards they belong to, a chunk at a time; rows of other buckets are left out."""
    digests = ((postings.digest(row.key), row) for row in rows)
    own = [(postings.shard(digest), row) for digest, row in digests if digest % buckets == bucket]
    for first in range(0, len(own), CHUNK):
        yield own[first : first + CHUNK]


def insertion(keys: Keys, chunk: list[tuple[int, MarkerRow]]) -> tuple[tuple[str, ...], Words]:
    """Keys and arguments of `copyin.lua` for a chunk: each shard once, each marker with the number of its shard's key."""
    places = {number: place for place, number in enumerate(dict.fromkeys(shard for shard, _ in chunk), start=2)}
    words: list[str | int] = []
    for shard, row in chunk:
        words += (places[shard], row.key, layout.marker(row.nonce, row.token, row.state, row.posted_at_ms))
    return (keys.meta, *map(keys.shard, places)), tuple(words)
