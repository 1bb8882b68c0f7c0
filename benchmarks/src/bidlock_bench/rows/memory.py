"""What a held lock and a marker weigh in Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import redis.asyncio

from bidlock_bench.contenders.crowd import Contender, fresh_key, opened
from bidlock_bench.contenders.product import Product
from bidlock_bench.contenders.registry import LIBRARIES
from bidlock_bench.figures import Better
from bidlock_bench.results import Bound, Row
from bidlock_bench.rows.crowds import WARM_UP_SECONDS
from bidlock_bench.stage import Entrant, Measure, Stage, Workload

_LOCK = Row("bytes-per-lock", "memory of the server per held lock", "bytes", Better.LOWER, (Bound(300),))
_MARKER = Row("bytes-per-marker", "memory of the server per posting that was bid on", "bytes", Better.LOWER)
_CHUNK = 1000


async def _weight(server: redis.asyncio.Redis, stage: Stage, write: Callable[[], Awaitable[object]]) -> float:
    """Bytes per key that `write` adds. `used_memory` also moves with every client's buffers; what each key takes does not."""
    before = await _taken(server, stage.prefix)
    await write()
    after = await _taken(server, stage.prefix)
    return sum(taken - before.get(key, 0) for key, taken in after.items()) / stage.keys


async def _taken(server: redis.asyncio.Redis, prefix: str) -> dict[bytes, int]:
    """Bytes of every key of the run, its name and table entry included."""
    keys = [key async for key in server.scan_iter(match=f"*{prefix}*", count=_CHUNK)]
    taken: list[int | None] = []
    for start in range(0, len(keys), _CHUNK):
        pipeline = server.pipeline(transaction=False)
        for key in keys[start : start + _CHUNK]:
            pipeline.memory_usage(key, samples=0)
        taken += await pipeline.execute()
    return {key: size for key, size in zip(keys, taken, strict=True) if size is not None}


async def _measure(contender: Contender, server: redis.asyncio.Redis, stage: Stage) -> Mapping[str, float]:
    held = []

    async def hold() -> None:
        held.append(await contender.hold([fresh_key() for _ in range(stage.keys)]))

    numbers = {_LOCK.name: await _weight(server, stage, hold)}
    await contender.give_up(held.pop())
    if isinstance(contender, Product):
        numbers[_MARKER.name] = await _weight(server, stage, partial(contender.bid_on, stage.keys))
    return numbers


@asynccontextmanager
async def _ready(build: Callable[[str, str], Contender], stage: Stage, _: float) -> AsyncIterator[Measure]:
    async with redis.asyncio.Redis.from_url(stage.url) as server, opened(build(stage.url, stage.prefix)) as contender:
        await contender.rate(100, WARM_UP_SECONDS)  # scripts and connections are not part of a lock
        yield partial(_measure, contender, server, stage)


MEMORY = Workload(
    (_LOCK, _MARKER), {name: Entrant(role, partial(_ready, build), most_rounds=1) for name, (role, build) in LIBRARIES.items()}
)
