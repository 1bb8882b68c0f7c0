"""Where a run takes place, and what one row consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bidlock_bench.results import Role, Row
from bidlock_bench.worker import Worker

PROCESSES = 4

Measure = Callable[[], Awaitable[Mapping[str, float]]]
"""One turn of one contender: row name to number."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What every row needs to know.

    Attributes:
        url: The one Redis or Valkey server of the run.
        directory: For SQLite files; on a real disk, else "durable" means nothing.
        prefix: First part of every key of this run.
        rounds: How many times every contender has its turn.
        seconds: How long one row measures, without set-up; shared among contenders and rounds.
        keys: How many locks and markers the memory rows write.
        workers: Processes of their own, `PROCESSES` of them when a row needs any.
    """

    url: str
    directory: Path
    prefix: str
    rounds: int
    seconds: float
    keys: int
    workers: Sequence[Worker] = ()

    def turn(self, contenders: int) -> float:
        """Seconds of one turn of one of so many contenders."""
        return max(0.05, self.seconds / (self.rounds * contenders))


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender of a row.

    Attributes:
        role: What it is in the comparison.
        ready: Sets it up for turns of so many seconds, and ends it.
        most_rounds: It sits out after so many, because each takes long and always the same.
    """

    role: Role
    ready: Callable[[Stage, float], AbstractAsyncContextManager[Measure]]
    most_rounds: int = 1_000


@dataclass(frozen=True, slots=True)
class Workload:
    """Rows that one set of measurements answers together.

    Attributes:
        rows: The rows.
        entrants: The contenders by name, in the order of their turns.
        workers: How many processes of their own it needs.
    """

    rows: tuple[Row, ...]
    entrants: Mapping[str, Entrant]
    workers: int = 0
