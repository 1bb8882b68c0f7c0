import itertools

from bidlock_chart.pairwise import combinations

OPTIONS = {"a": [1, 2, 3], "b": ["x", "y"], "c": [True, False], "d": [0, 1, 2, 3]}


def test_every_two_choices_meet_in_a_row():
    rows = combinations(OPTIONS)

    for one, other in itertools.combinations(OPTIONS, 2):
        assert {(row[one], row[other]) for row in rows} == set(itertools.product(OPTIONS[one], OPTIONS[other]))


def test_there_are_far_fewer_rows_than_combinations():
    assert len(combinations(OPTIONS)) <= 16
