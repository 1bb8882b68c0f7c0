"""Several processes on one Redis: together at full speed, and one waiting for the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from bidlock_bench.contenders.crowd import fresh_key
from bidlock_bench.contenders.registry import LIBRARIES, RUNNERS
from bidlock_bench.figures import Better, percentile
from bidlock_bench.results import Bound, OverBestPeer, Row
from bidlock_bench.rows.crowds import WARM_UP_SECONDS
from bidlock_bench.stage import PROCESSES, Entrant, Measure, Stage, Workload
from bidlock_bench.worker import Worker

TASKS = 50
FEWEST_HAND_OFFS = 3
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


async def _rate(name: str, workers: Sequence[Worker], seconds: float) -> Mapping[str, float]:
    asked = (worker.ask(**{"do": "rate", "as": name, "tasks": TASKS, "seconds": seconds}) for worker in workers)
    return {_RATE.name: sum(await asyncio.gather(*asked))}


@asynccontextmanager
async def _ready_together(name: str, stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    await _rate(name, stage.workers, WARM_UP_SECONDS)
    yield partial(_rate, name, stage.workers, seconds)


async def _hand_off(name: str, giver: Worker, waiter: Worker) -> float:
    """Milliseconds from before the release to after the acquire of one hand-off."""
    take, give_up = {"do": "take", "as": name, "key": fresh_key()}, {"do": "give up", "as": name}
    await giver.ask(**take)
    await waiter.send(**take)
    await asyncio.sleep(random.uniform(*HOLD_SECONDS))
    given = await giver.ask(**give_up)
    taken = await waiter.answer()
    await waiter.ask(**give_up)
    return 1000 * float(taken - given)


async def _hand_offs(name: str, giver: Worker, waiter: Worker, seconds: float) -> Mapping[str, float]:
    loop = asyncio.get_running_loop()
    until, measured = loop.time() + seconds, [await _hand_off(name, giver, waiter)]
    while loop.time() < until or len(measured) < FEWEST_HAND_OFFS:
        measured.append(await _hand_off(name, giver, waiter))
    return {_HAND_OFF.name: percentile(measured, 0.5)}


@asynccontextmanager
async def _ready_to_wait(name: str, stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    giver, waiter = stage.workers[:2]
    await _hand_off(name, giver, waiter)
    yield partial(_hand_offs, name, giver, waiter, seconds)


FOUR_PROCESSES = Workload(
    (_RATE,), {name: Entrant(runner.role, partial(_ready_together, name)) for name, runner in RUNNERS.items()}, PROCESSES
)
HAND_OFF = Workload((_HAND_OFF,), {name: Entrant(library.role, partial(_ready_to_wait, name)) for name, library in LIBRARIES.items()}, 2)
