"""What a held lock and a marker weigh in Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import redis.asyncio

from bidlock_bench.contenders.crowd import Contender, fresh_key
from bidlock_bench.contenders.product import Product
from bidlock_bench.contenders.registry import LIBRARIES
from bidlock_bench.figures import Better
from bidlock_bench.results import Bound, Row
from bidlock_bench.rows.crowds import WARM_UP_SECONDS, opened
from bidlock_bench.stage import Entrant, Measure, Stage, Workload

_LOCK = Row("bytes-per-lock", "memory of the server per held lock", "bytes", Better.LOWER, (Bound(300),))
_MARKER = Row("bytes-per-marker", "memory of the server per posting that was bid on", "bytes", Better.LOWER)
_CLIENTS = ("mem_clients_normal", "mem_clients_slaves")


async def _weight(server: redis.asyncio.Redis, keys: int, write: Callable[[], Awaitable[object]]) -> float:
    """Bytes per key that `write` adds, without what the server keeps for its clients."""
    before = await _used(server)
    await write()
    return (await _used(server) - before) / keys


async def _used(server: redis.asyncio.Redis) -> int:
    memory = await server.info("memory")
    return int(memory["used_memory"]) - sum(int(memory[name]) for name in _CLIENTS)


async def _measure(contender: Contender, server: redis.asyncio.Redis, stage: Stage) -> Mapping[str, float]:
    held = []

    async def hold() -> None:
        held.append(await contender.hold([fresh_key() for _ in range(stage.keys)]))

    numbers = {_LOCK.name: await _weight(server, stage.keys, hold)}
    await contender.give_up(held.pop())
    if isinstance(contender, Product):
        numbers[_MARKER.name] = await _weight(server, stage.keys, partial(contender.bid_on, stage.keys))
    return numbers


@asynccontextmanager
async def _ready(build: Callable[[str, str], Contender], stage: Stage, _: float) -> AsyncIterator[Measure]:
    async with redis.asyncio.Redis.from_url(stage.url) as server, opened(build(stage.url, stage.prefix)) as contender:
        await contender.rate(100, WARM_UP_SECONDS)  # scripts and connections are not part of a lock
        yield partial(_measure, contender, server, stage)


MEMORY = Workload((_LOCK, _MARKER), {name: Entrant(role, partial(_ready, build)) for name, (role, build) in LIBRARIES.items()})
