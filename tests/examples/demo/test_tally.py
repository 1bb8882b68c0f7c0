from collections import Counter

import pytest

from bidlock_demo.summary import verdict
from bidlock_demo.tally import Act, Report


def act(name: str, bids: int, duplicates: int) -> Act:
    return Act(name, name, postings=10, bids=bids, duplicates=duplicates, skips=Counter(held=2), kills=3)


def report(seed: tuple[int, int], *guarded: tuple[int, int]) -> Report:
    return Report(act("seed", *seed), [act("x", *counts) for counts in guarded], broken_lines=0, seconds=1.0)


@pytest.mark.parametrize(
    ("shown", "proven"),
    [
        (report((15, 5), (10, 0), (10, 0)), True),
        (report((15, 5), (10, 0), (11, 1)), False),
        (report((10, 0), (10, 0), (10, 0)), False),
        (report((15, 5), (10, 0), (0, 0)), False),
    ],
)
def test_the_demo_proves_something_only_if_bidlock_alone_had_no_duplicate(shown, proven):
    assert shown.proven is proven


def test_the_last_two_lines_are_the_result():
    assert verdict(report((15, 5), (10, 0))) == ("seed's way: 5 duplicate bids", "bidlock: 0 duplicate bids")


def test_the_document_sums_up_bidlocks_acts():
    document = report((15, 5), (10, 0), (9, 0)).document()

    assert (document["bids"], document["kills"], document["skipped_by_reason"]) == (19, 6, {"held": 4})
    assert [shown["name"] for shown in document["acts"]] == ["seed", "x", "x"]
