"""Locks that survive a power cut: one SQLite file, `synchronous=FULL`, one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bidlock_bench.contenders.crowd import Throughput, opened
from bidlock_bench.contenders.original import OriginalOnSqlite
from bidlock_bench.contenders.product import Product
from bidlock_bench.contenders.sqlite_floor import Batches, OneByOne
from bidlock_bench.figures import Better
from bidlock_bench.results import Bound, Role, Row
from bidlock_bench.rows.crowds import WARM_UP_SECONDS
from bidlock_bench.stage import Entrant, Measure, Stage, Workload

TASKS = 100
Build = Callable[[Path], Throughput]

_ROW = Row(
    "sqlite-durable-pairs",
    f"durable acquire+release of distinct postings on SQLite (synchronous=FULL), {TASKS} tasks",
    "pairs/s",
    Better.HIGHER,
    (Bound(20_000),),
)


async def _measure(contender: Throughput, seconds: float) -> Mapping[str, float]:
    return {_ROW.name: await contender.rate(TASKS, seconds)}


@asynccontextmanager
async def _ready(build: Build, file: str, stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    async with opened(build(stage.directory / file)) as contender:
        await contender.rate(TASKS, WARM_UP_SECONDS)
        yield partial(_measure, contender, seconds)


def _product(path: Path) -> Product:
    return Product(f"sqlite:///{path}", "bench")


SQLITE = Workload(
    (_ROW,),
    {
        "bidlock": Entrant(Role.PRODUCT, partial(_ready, _product, "bidlock.db")),
        "original algorithm": Entrant(Role.ORIGINAL, partial(_ready, OriginalOnSqlite, "original.db")),
        "a transaction per operation": Entrant(Role.FLOOR, partial(_ready, OneByOne, "one-by-one.db")),
        f"raw floor, batches of {TASKS}": Entrant(Role.FLOOR, partial(_ready, Batches, "batches.db")),
    },
)
