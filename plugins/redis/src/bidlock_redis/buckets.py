"""One bucket's state, as `observe.lua` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bidlock_redis import scripts

if TYPE_CHECKING:
    from bidlock_redis.backend import RedisBackend


@dataclass(frozen=True, slots=True)
class BucketState:
    """What a bucket's meta, counter and quarantine say.

    Attributes:
        meta: Fields of the meta; empty without one.
        counter: Highest token handed out.
        quarantine: Fields of the quarantine; empty without one.
        run_id: Of the server that has the bucket now.
        time_ms: The server's clock, Unix milliseconds.
    """

    meta: dict[str, str] = field(default_factory=dict)
    counter: int = 0
    quarantine: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    time_ms: int = 0

    @property
    def live(self) -> bool:
        """Whether the meta is of this very server process."""
        return bool(self.meta) and self.meta.get("run_id") == self.run_id

    @property
    def owner(self) -> str:
        """Owner of the bucket; empty without meta."""
        return self.meta.get("owner", "")

    @property
    def stamp(self) -> str:
        """Format, buckets and hash as the guard compares them."""
        return "|".join(self.meta.get(name, "") for name in ("format", "buckets", "hash"))

    def number(self, name: str) -> int:
        """A field of the meta that is a number; 0 when it is missing."""
        return int(self.meta.get(name) or 0)


async def read(backend: RedisBackend, bucket: int) -> BucketState:
    """Read a bucket's state in one step."""
    keys = backend.keys(bucket)
    meta, counter, quarantine, run_id, time_ms = await backend.run(scripts.OBSERVE, keys, (keys.meta, keys.counter, keys.quarantine), ())
    return BucketState(_fields(meta), int(counter), _fields(quarantine), run_id.decode(), int(time_ms))


def _fields(flat: list[Any]) -> dict[str, str]:
    texts = [item.decode() for item in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
