"""Give every contender its turn, round after round (A B C, A B C, and so on)."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from bidlock_bench.results import RowResult, Series
from bidlock_bench.stage import Measure, Stage, Workload

OnTurn = Callable[[str, int], None]
"""Told before each turn: contender and round (1-based; 0 is its set-up)."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure:
    """A contender that broke, and takes no further part in its rows."""

    rows: tuple[str, ...]
    contender: str
    error: str


async def run(workload: Workload, stage: Stage, on_turn: OnTurn) -> tuple[list[RowResult], list[Failure]]:
    """Measure one workload.

    A contender that breaks is left out of its rows and reported; the others go on.
    """
    match = _Match(workload)
    async with AsyncExitStack() as stack:
        for name, entrant in workload.entrants.items():
            on_turn(name, 0)
            ready = entrant.ready(stage, stage.turn(len(workload.entrants)))
            await match.try_(name, stack.enter_async_context(ready), match.measures.__setitem__)
        for number in range(1, stage.rounds + 1):
            for name, measure in list(match.measures.items()):
                if number > workload.entrants[name].most_rounds:
                    continue
                on_turn(name, number)
                gc.collect()  # nobody pays for what the one before left behind
                await match.try_(name, measure(), match.note)
    return match.results(), list(match.broken.values())


class _Match:
    """Who is still in it, and what was measured so far."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self.measures: dict[str, Measure] = {}
        self.broken: dict[str, Failure] = {}
        self._numbers: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    async def try_(self, name: str, turn: Awaitable[Result], then: Callable[[str, Result], None]) -> None:
        try:
            result = await turn
        except Exception as error:  # whatever a contender raises is a result here
            self.measures.pop(name, None)
            rows = tuple(row.name for row in self._workload.rows)
            self.broken[name] = Failure(rows, name, f"{type(error).__name__}: {error}")
        else:
            then(name, result)

    def note(self, name: str, numbers: Mapping[str, float]) -> None:
        for row, value in numbers.items():
            self._numbers[row][name].append(value)

    def results(self) -> list[RowResult]:
        results = []
        for row in self._workload.rows:
            measured = {name: numbers for name, numbers in self._numbers[row.name].items() if name not in self.broken}
            series = {name: Series(self._workload.entrants[name].role, tuple(numbers)) for name, numbers in measured.items()}
            if series:
                results.append(RowResult(row, series))
        return results
