import pytest

from bidlock_bench.figures import Better, Spread, advantage, advantages, percentile, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Spread(3.0, 3.0, 3.0)),
        ([3.0, 1.0, 2.0], Spread(2.0, 1.0, 3.0)),
        ([4.0, 1.0, 2.0, 3.0], Spread(2.5, 1.0, 4.0)),
    ],
)
def test_a_spread_is_the_middle_and_the_extremes(values: list[float], expected: Spread) -> None:
    assert spread(values) == expected


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7], 0.5, 7),
        ([1, 2], 0.5, 1),
        ([2, 1], 0.95, 2),
        (range(1, 101), 0.5, 50),
        (range(1, 101), 0.95, 95),
        (range(1, 101), 1, 100),
        ([5, 6], 0, 5),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "better", "expected"),
    [
        (20, 10, Better.HIGHER, 2),
        (5, 10, Better.HIGHER, 0.5),
        (5, 10, Better.LOWER, 2),
        (20, 10, Better.LOWER, 0.5),
        (3, 3, Better.LOWER, 1),
    ],
)
def test_an_advantage_above_one_is_good_in_either_direction(ours: float, theirs: float, better: Better, expected: float) -> None:
    assert advantage(ours, theirs, better) == expected


def test_ratios_are_taken_round_by_round_and_not_between_medians() -> None:
    # The machine was three times slower in the second round, for both.
    assert advantages([30, 10], [15, 5], Better.HIGHER) == Spread(2, 2, 2)


def test_a_contender_that_sat_out_is_compared_in_the_rounds_it_took() -> None:
    assert advantages([10, 1000, 1000], [5], Better.HIGHER) == Spread(2, 2, 2)


@pytest.mark.parametrize(("ours", "theirs"), [(0, 1), (1, 0), (-1, 1)])
def test_there_is_no_ratio_to_nothing(ours: float, theirs: float) -> None:
    with pytest.raises(ValueError, match="no ratio"):
        advantage(ours, theirs, Better.HIGHER)


@pytest.mark.parametrize("empty", [lambda: spread([]), lambda: percentile([], 0.5)], ids=["spread", "percentile"])
def test_nothing_measured_is_an_error_and_not_a_zero(empty: object) -> None:
    with pytest.raises(ValueError, match="no "):
        empty()  # type: ignore[operator]
