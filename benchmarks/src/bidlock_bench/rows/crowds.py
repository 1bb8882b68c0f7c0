"""Callers in one process against one Redis: together on one posting, and each on its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from bidlock_bench.contenders.crowd import Contender, Rated, opened
from bidlock_bench.contenders.product import Product
from bidlock_bench.contenders.registry import LIBRARIES, RUNNERS
from bidlock_bench.figures import Better, percentile
from bidlock_bench.results import Bound, OfTheFloor, OverBestPeer, Role, Row
from bidlock_bench.stage import Entrant, Measure, Stage, Workload

Speedy = TypeVar("Speedy", bound=Rated)
Build = Callable[[str, str], Speedy]
Ask = Callable[[Speedy, float], Awaitable[Mapping[str, float]]]
"""What a turn of so many seconds brings."""

CALLERS = 100
WARM_UP_SECONDS = 0.2


@asynccontextmanager
async def _warm(build: Build[Speedy], tasks: int, ask: Ask[Speedy], stage: Stage, seconds: float) -> AsyncIterator[Measure]:
    async with opened(build(stage.url, stage.prefix)) as contender:
        await contender.rate(tasks, WARM_UP_SECONDS)
        yield partial(ask, contender, seconds)


def _everybody(tasks: int, ask: Ask[Rated]) -> dict[str, Entrant]:
    return {name: Entrant(role, partial(_warm, build, tasks, ask)) for name, (role, build) in RUNNERS.items()}


def _libraries(tasks: int, ask: Ask[Contender]) -> dict[str, Entrant]:
    return {name: Entrant(role, partial(_warm, build, tasks, ask)) for name, (role, build) in LIBRARIES.items()}


async def _one_posting(contender: Contender, _: float) -> Mapping[str, float]:
    passed_on = 1000 * await contender.queue(CALLERS)
    if isinstance(contender, Product):
        return {_TOGETHER.name: 1000 * await contender.bid_together(CALLERS), _PASSED_ON.name: passed_on}
    return {_TOGETHER.name: passed_on, _PASSED_ON.name: passed_on}


async def _give_up(contender: Contender, _: float) -> Mapping[str, float]:
    """Of the original: most of its callers give up, so that the lock is not passed on to all."""
    return {_TOGETHER.name: 1000 * await contender.queue(CALLERS)}


async def _rate(rate: Row, price: Row, tasks: int, contender: Rated, seconds: float) -> Mapping[str, float]:
    """How many, and what each cost this process: the price is told apart from whatever else keeps the machine busy."""
    began, spent = time.perf_counter(), time.process_time()
    pairs_per_second = await contender.rate(tasks, seconds)
    pairs = pairs_per_second * (time.perf_counter() - began)
    return {rate.name: pairs_per_second, price.name: 1e6 * (time.process_time() - spent) / pairs}


async def _latency(contender: Rated, seconds: float) -> Mapping[str, float]:
    measured = await contender.latencies(seconds)
    return {_P50.name: 1e6 * percentile(measured, 0.5), _P95.name: 1e6 * percentile(measured, 0.95)}


_TOGETHER = Row(
    "one-posting-bid-once",
    f"{CALLERS} callers, one posting: until all have their answer (bidlock: bid_once; others: their bare lock, one after the other)",
    "ms",
    Better.LOWER,
    (Bound(5), OverBestPeer(20)),
)
_PASSED_ON = Row(
    "one-posting-passed-on",
    f"{CALLERS} callers in one process hold one posting's bare lock one after the other",
    "ms",
    Better.LOWER,
    (Bound(10),),
)
_ONE = Row("pairs-1-task", "acquire+release of distinct postings, 1 task", "pairs/s", Better.HIGHER)
_THOUSAND = Row(
    "pairs-1000-tasks", "acquire+release of distinct postings, 1000 tasks", "pairs/s", Better.HIGHER, (Bound(25_000), OfTheFloor(0.6))
)
_ONES_PRICE = Row("cpu-1-task", "the client's processor time per acquire+release, 1 task", "µs", Better.LOWER)
_THOUSANDS_PRICE = Row("cpu-1000-tasks", "the client's processor time per acquire+release, 1000 tasks", "µs", Better.LOWER)
_P50 = Row("latency-p50", "one acquire+release, 1 task, median", "µs", Better.LOWER, (OfTheFloor(1 / 1.3),))
_P95 = Row("latency-p95", "one acquire+release, 1 task, 95th percentile", "µs", Better.LOWER)

_ORIGINAL = "original algorithm"
_SLOW = Entrant(Role.ORIGINAL, partial(_warm, LIBRARIES[_ORIGINAL].build, CALLERS, _give_up), most_rounds=1)
ONE_POSTING = Workload((_TOGETHER, _PASSED_ON), {**_libraries(CALLERS, _one_posting), _ORIGINAL: _SLOW})
ONE_TASK = Workload((_ONE, _ONES_PRICE), _everybody(1, partial(_rate, _ONE, _ONES_PRICE, 1)))
THOUSAND_TASKS = Workload((_THOUSAND, _THOUSANDS_PRICE), _everybody(1000, partial(_rate, _THOUSAND, _THOUSANDS_PRICE, 1000)))
LATENCY = Workload((_P50, _P95), _everybody(1, _latency))
