from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bidlock_bench import rounds
from bidlock_bench.figures import Better
from bidlock_bench.results import Role, Row
from bidlock_bench.stage import Entrant, Measure, Stage, Workload

pytestmark = pytest.mark.slow

STAGE = Stage("", Path(), "bench", rounds=3, seconds=6, keys=1)
ROW = Row("row", "A row", "ms", Better.LOWER)


def counting(*, breaks_in: int | None = None, most_rounds: int = 99) -> Entrant:
    """A contender that measures the number of its turn, and breaks in one (0 is its set-up)."""

    @asynccontextmanager
    async def ready(_stage: Stage, _seconds: float) -> AsyncIterator[Measure]:
        turn = 0

        def check() -> None:
            if turn == breaks_in:
                raise OSError("gone")

        async def measure() -> Mapping[str, float]:
            nonlocal turn
            turn += 1
            check()
            return {ROW.name: turn}

        check()
        yield measure

    return Entrant(Role.PEER, ready, most_rounds)


async def run(**entrants: Entrant) -> tuple[dict[str, tuple[float, ...]], list[rounds.Failure], list[tuple[str, int]]]:
    turns: list[tuple[str, int]] = []
    results, failures = await rounds.run(Workload((ROW,), entrants), STAGE, lambda name, number: turns.append((name, number)))
    return {name: series.rounds for result in results for name, series in result.series.items()}, failures, turns


async def test_contenders_take_turns() -> None:
    _, _, turns = await run(a=counting(), b=counting())
    assert turns == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]


async def test_a_slow_contender_can_sit_out_the_last_rounds() -> None:
    measured, _, _ = await run(a=counting(), b=counting(most_rounds=1))
    assert measured == {"a": (1, 2, 3), "b": (1,)}


@pytest.mark.parametrize("turn", [0, 1, 3])
async def test_a_contender_that_breaks_is_named_and_left_out_and_the_others_go_on(turn: int) -> None:
    measured, failures, _ = await run(bad=counting(breaks_in=turn), good=counting())
    assert measured == {"good": (1, 2, 3)}
    assert failures == [rounds.Failure(("row",), "bad", "OSError: gone")]


@pytest.mark.parametrize(("contenders", "seconds"), [(1, 2), (2, 1), (1000, 0.05)])
def test_a_turn_is_its_share_of_the_row_and_never_too_short_to_mean_something(contenders: int, seconds: float) -> None:
    assert STAGE.turn(contenders) == seconds
