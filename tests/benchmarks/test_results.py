import pytest

from bidlock_bench.figures import Better
from bidlock_bench.report import as_json
from bidlock_bench.results import Aim, Bound, OfTheFloor, OverBestPeer, Role, Row, RowResult, Series, judge
from bidlock_bench.table import markdown, number, plain, verdict


def result(better: Better, *aims: Aim, **medians: float) -> RowResult:
    roles = {"bidlock": Role.PRODUCT, "floor": Role.FLOOR, "original": Role.ORIGINAL}
    series = {name: Series(roles.get(name, Role.PEER), (value, value)) for name, value in medians.items()}
    return RowResult(Row("row", "A row", "ms", better, aims), series)


HIGHER, LOWER = Better.HIGHER, Better.LOWER


@pytest.mark.parametrize(
    ("measured", "met", "by"),
    [
        (result(HIGHER, Bound(100), bidlock=150), True, 1.5),
        (result(HIGHER, Bound(100), bidlock=50), False, 0.5),
        (result(LOWER, Bound(100), bidlock=50), True, 2),
        (result(LOWER, Bound(100), bidlock=200), False, 0.5),
        (result(LOWER, Bound(100), bidlock=100), True, 1),
        (result(HIGHER, OverBestPeer(4), bidlock=40, slow=1, fast=20), False, 0.5),
        (result(LOWER, OverBestPeer(4), bidlock=1, slow=99, fast=8), True, 2),
        (result(HIGHER, OverBestPeer(4), bidlock=8, peer=1, original=8, floor=8), True, 2),
        (result(HIGHER, OfTheFloor(0.5), bidlock=30, floor=120), False, 0.5),
        (result(LOWER, OfTheFloor(0.5), bidlock=10, floor=10), True, 2),
    ],
)
def test_an_aim_knows_whether_it_is_met_and_by_how_much(measured: RowResult, met: bool, by: float) -> None:
    (judgement,) = judge(measured)
    assert (judgement.met, judgement.by) == (met, pytest.approx(by))


@pytest.mark.parametrize(
    "measured",
    [result(HIGHER, OverBestPeer(4), bidlock=1), result(HIGHER, OfTheFloor(0.5), bidlock=1, peer=2), result(HIGHER, Bound(1), peer=2)],
    ids=["no peer", "no floor", "no bidlock"],
)
def test_an_aim_without_anybody_to_compare_with_is_not_judged(measured: RowResult) -> None:
    assert not judge(measured)


@pytest.mark.parametrize(
    ("aims", "met", "text"),
    [((Bound(1),), True, "at least 1 ms"), ((Bound(1), Bound(99)), False, "at least 1 ms; at least 99 ms"), ((), None, None)],
)
def test_a_row_of_the_json_is_met_when_all_its_aims_are(aims: tuple[Aim, ...], met: bool | None, text: str | None) -> None:
    (row,) = as_json({}, [result(HIGHER, *aims, bidlock=10)])["rows"]
    assert (row["met"], row["aim"]) == (met, text)


def test_the_json_keeps_its_schema() -> None:
    written = as_json({"python": "3.11"}, [result(HIGHER, Bound(5), bidlock=10, peer=5)])
    assert written["schema"] == 1
    assert written["environment"] == {"python": "3.11"}
    (row,) = written["rows"]
    assert row["contenders"]["peer"] == {
        "role": "peer",
        "rounds": [5, 5],
        "median": 5,
        "min": 5,
        "max": 5,
        "ratio": {"median": 2, "min": 2, "max": 2},
    }
    assert row["aims"] == [{"aim": "at least 5 ms", "wanted": 5, "measured": 10, "met": True, "by": 2}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.8341, "0.834"),
        (4.0, "4"),
        (41.234, "41.2"),
        (99.96, "100"),
        (834.1, "834"),
        (25_349, "25,300"),
        (1_234_567, "1,230,000"),
        (1000, "1,000"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("measured", "text"), [(40, "met: at least 20 ms; 2 × the aim"), (15, "missed: at least 20 ms; measured 15, that is 75% of the aim")]
)
def test_a_verdict_says_by_how_much(measured: float, text: str) -> None:
    (judgement,) = judge(result(HIGHER, Bound(20), bidlock=measured))
    assert verdict(judgement) == text


def test_the_table_shows_every_contender_with_its_ratio() -> None:
    text = plain({"python": "3.11", "server": ""}, [result(HIGHER, Bound(20), bidlock=40, peer=10)])
    assert text.splitlines() == [
        "python 3.11",
        "",
        "A row [ms]",
        "           median  min – max  bidlock is better by (min – max)",
        "  bidlock      40    40 – 40                                 –",
        "  peer         10    10 – 10                       4 × (4 – 4)",
        "  → met: at least 20 ms; 2 × the aim",
    ]


def test_the_table_can_be_markdown() -> None:
    text = markdown({}, [result(LOWER, bidlock=40, peer=10)])
    assert "| peer | 10 | 10 – 10 | 0.25 × (0.25 – 0.25) |" in text.splitlines()


def test_a_row_without_bidlock_has_no_ratios() -> None:
    assert "10    10 – 10                                 –" in plain({}, [result(HIGHER, peer=10)])
