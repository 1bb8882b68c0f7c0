"""Several processes on one Redis: together at full speed, and one waiting for the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bidlock_bench.contenders.crowd import fresh_key
from bidlock_bench.contenders.registry import LIBRARIES, RUNNERS
from bidlock_bench.figures import Better, percentile
from bidlock_bench.results import Bound, OverBestPeer, Row
from bidlock_bench.rows.crowds import WARM_UP_SECONDS
from bidlock_bench.stage import Entrant, Measure, Stage, Workload
from bidlock_bench.worker import Worker, started

PROCESSES, TASKS = 4, 50
HOLD_SECONDS = (0.05, 0.15)
"""How long the giver holds: at random, so that it meets waiters who poll at any moment of their sleep."""

_RATE = Row(
    "pairs-4-processes",
    f"acquire+release of distinct postings, {PROCESSES} processes × {TASKS} tasks",
    "pairs/s",
    Better.HIGHER,
    (OverBestPeer(4),),
)
_HAND_OFF = Row("hand-off-p50", "from release in one process to the lock in a waiting process, median", "ms", Better.LOWER, (Bound(1),))


async def _rate(workers: list[Worker], seconds: float) -> Mapping[str, float]:
    return {_RATE.name: sum(await asyncio.gather(*(worker.ask(do="rate", tasks=TASKS, seconds=seconds) for worker in workers)))}


@asynccontextmanager
async def _ready_together(name: str, stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(started(name, stage.url, stage.prefix)) for _ in range(PROCESSES)]
        await _rate(workers, WARM_UP_SECONDS)
        yield partial(_rate, workers, seconds)


async def _hand_off(giver: Worker, waiter: Worker) -> float:
    """Milliseconds from before the release to after the acquire of one hand-off."""
    key = fresh_key()
    await giver.ask(do="take", key=key)
    await waiter.send(do="take", key=key)
    await asyncio.sleep(random.uniform(*HOLD_SECONDS))
    given = await giver.ask(do="give up")
    taken = await waiter.answer()
    await waiter.ask(do="give up")
    return 1000 * float(taken - given)


async def _hand_offs(giver: Worker, waiter: Worker, seconds: float) -> Mapping[str, float]:
    loop = asyncio.get_running_loop()
    until, measured = loop.time() + seconds, [await _hand_off(giver, waiter)]
    while loop.time() < until or len(measured) < 3:
        measured.append(await _hand_off(giver, waiter))
    return {_HAND_OFF.name: percentile(measured, 0.5)}


@asynccontextmanager
async def _ready_to_wait(name: str, stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    async with started(name, stage.url, stage.prefix) as giver, started(name, stage.url, stage.prefix) as waiter:
        await _hand_off(giver, waiter)
        yield partial(_hand_offs, giver, waiter, seconds)


FOUR_PROCESSES = Workload((_RATE,), {name: Entrant(runner.role, partial(_ready_together, name)) for name, runner in RUNNERS.items()})
HAND_OFF = Workload((_HAND_OFF,), {name: Entrant(library.role, partial(_ready_to_wait, name)) for name, library in LIBRARIES.items()})
