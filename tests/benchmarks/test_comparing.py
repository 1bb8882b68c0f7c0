"""What counts as slower than before."""

import pytest

from bidlock_bench.comparing import regressions
from bidlock_bench.figures import Better
from bidlock_bench.report import as_json
from bidlock_bench.results import Role, Row, RowResult, Series

ROLES = {"bidlock": Role.PRODUCT, "floor": Role.FLOOR, "slow": Role.PEER, "fast": Role.PEER}


def result(name="row", **rounds: tuple[float, ...]) -> RowResult:
    return RowResult(Row(name, "A row", "pairs/s", Better.HIGHER), {who: Series(ROLES[who], values) for who, values in rounds.items()})


def found(before: RowResult, now: RowResult) -> list[str]:
    return [f"{one.row} {one.against}" for one in regressions(as_json({}, [before]), [now])]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (result(bidlock=(40, 50), floor=(100, 100)), result(bidlock=(20, 30), floor=(100, 100)), ["row floor"]),
        (result(bidlock=(40, 50), floor=(100, 100)), result(bidlock=(4, 5), floor=(10, 10)), []),
        (result(bidlock=(40, 50), floor=(100, 100)), result(bidlock=(10, 45), floor=(100, 100)), []),
        (result(bidlock=(100, 101), floor=(100, 100)), result(bidlock=(98, 99), floor=(100, 100)), []),
        (result(bidlock=(40, 50), floor=(100, 100)), result(bidlock=(90, 95), floor=(100, 100)), []),
        (result(bidlock=(40, 50), slow=(1, 1), fast=(10, 10)), result(bidlock=(20, 30), slow=(1, 1), fast=(10, 10)), ["row fast"]),
        (result(bidlock=(40, 50), fast=(10, 10)), result(bidlock=(4, 5), floor=(100, 100)), []),
        (result("gone", bidlock=(40, 50), floor=(100, 100)), result(bidlock=(4, 5), floor=(100, 100)), []),
        (result(floor=(100, 100)), result(bidlock=(4, 5), floor=(100, 100)), []),
    ],
    ids=[
        "slower",
        "a slower machine",
        "one round as good",
        "a trifle",
        "faster",
        "the best peer",
        "new contender",
        "new row",
        "was not in it",
    ],
)
def test_bidlock_is_slower_when_every_round_lost_ground_to_the_same_contender(before, now, expected) -> None:
    assert found(before, now) == expected


def test_a_regression_says_where_and_by_how_much() -> None:
    (one,) = regressions(as_json({}, [result(bidlock=(40, 50), floor=(100, 100))]), [result(bidlock=(20, 30), floor=(100, 100))])
    assert str(one) == "row: against floor bidlock fell from 0.45 × to 0.25 × (every round below 0.4 ×)"
