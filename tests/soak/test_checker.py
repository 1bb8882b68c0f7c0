"""The checker on histories written by hand: it has to cry when, and only when, something is wrong."""

from __future__ import annotations

import pytest
from bidlock_soak import checker
from bidlock_soak.history import Belief, Bid, Grant, History, Outage, Try


def bid(posting, at, process="a", token=1):
    return Bid(posting, process, token, at)


def belief(start, end, process="a", posting="p", token=1):
    return Belief(posting, process, token, start, end)


def grant(token, asked, known, posting="p", process="a"):
    return Grant(posting, process, token, asked, known)


def test_one_bid_per_posting_is_fine():
    assert checker.duplicates([bid("p", 1.0), bid("q", 2.0)]) == []


@pytest.mark.parametrize("second", [bid("p", 2.0), bid("p", 2.0, "b"), bid("p", 2.0, "b", token=9), bid("p", 1.0, "b")])
def test_a_second_bid_is_a_duplicate_whoever_placed_it(second):
    assert len(checker.duplicates([bid("p", 1.0), second])) == 1


def test_a_third_bid_is_another_duplicate_and_the_first_is_none():
    first, second, third = (bid("p", at) for at in (1.0, 2.0, 3.0))

    assert checker.duplicates([third, first, second]) == [second, third]


@pytest.mark.parametrize(
    ("beliefs", "count"),
    [
        ([belief(0, 1), belief(1, 2, "b")], 0),
        ([belief(0, 1), belief(0.9, 2, "b")], 1),
        ([belief(0, 9), belief(1, 2, "b"), belief(3, 4, "c")], 2),
        ([belief(0, 9), belief(1, 2, "b", posting="q")], 0),
        ([belief(0, 1), belief(0, 1, "a")], 1),
        ([belief(1, 1), belief(0, 1, "b")], 0),
    ],
    ids=["one after the other", "shared end", "around two others", "another posting", "two hands of one process", "touching"],
)
def test_two_beliefs_that_share_a_moment_overlap(beliefs, count):
    assert len(checker.overlaps(beliefs)) == count


@pytest.mark.parametrize(
    ("grants", "count"),
    [
        ([grant(1, 0, 1), grant(2, 2, 3)], 0),
        ([grant(2, 0, 1), grant(1, 2, 3)], 1),
        ([grant(2, 0, 1), grant(2, 2, 3)], 1),
        ([grant(2, 0, 3), grant(1, 2, 4)], 0),
        ([grant(9, 0, 1), grant(3, 2, 3), grant(4, 5, 6)], 2),
        ([grant(2, 0, 1), grant(1, 2, 3, posting="q")], 0),
    ],
    ids=["growing", "lower", "equal", "asked for at the same time", "measured by the highest so far", "another posting"],
)
def test_a_token_not_above_one_that_was_known_before_is_a_regression(grants, count):
    assert len(checker.regressions(grants)) == count


@pytest.mark.parametrize(
    ("ended", "leased", "expected"),
    [
        ("already_bid", False, {"p"}),
        ("mode", False, {"p"}),
        ("", False, set()),
        ("", True, set()),
        ("lost", True, set()),
        ("watermark", False, set()),
    ],
    ids=["claimed by nobody", "never tried again", "killed", "killed with the lease", "refused after the lease", "given up with a loss"],
)
def test_a_posting_without_a_bid_needs_an_attempt_that_may_have_claimed_it(ended, leased, expected):
    assert checker.lost([Try("p", "a", ended, leased), Try("p", "b", "already_bid", False)], []) == expected


def test_a_posting_with_a_bid_is_not_lost():
    assert checker.lost([Try("p", "a", "placed", True), Try("p", "b", "already_bid", False)], [bid("p", 1.0)]) == set()


@pytest.mark.parametrize(
    ("bids", "outages", "expected"),
    [
        ([1, 2, 3, 4, 5], [], 5),
        ([2, 4, 9], [], 5),
        ([2, 4, 9], [Outage(5, 8)], 2),
        ([2, 4, 9], [Outage(4, 6)], 3),
        ([2, 9], [Outage(3, 5), Outage(4, 8)], 2),
        ([], [], 10),
        ([5], [Outage(0, 5), Outage(5, 20)], 0),
        ([4, 6, 8], [Outage(4.5, 5.5)], 4),
    ],
    ids=[
        "after the last",
        "between two",
        "cut in two",
        "the rest of it",
        "outages in each other",
        "no bid at all",
        "never up",
        "before the first",
    ],
)
def test_a_pause_is_a_time_without_bids_and_without_outages(bids, outages, expected):
    assert checker.longest_pause(bids, outages, (0, 10)) == expected


def test_a_recovery_is_counted_for_the_store_that_decides_from_its_first_answer_to_the_next_bid():
    outages = [Outage(1, 2, deciding=True), Outage(3, 4, deciding=False), Outage(5, 6, deciding=True), Outage(8, 9, deciding=True)]

    assert checker.recoveries([1.5, 2.25, 5.5, 6.5], outages) == [0.25, 0.5]


@pytest.mark.parametrize(("absence", "count"), [((0, 2), 1), ((0, 2.1), 0), ((2.1, 2.2), 0), ((2.2, 9), 0), ((2.5, 9), 1)])
def test_a_recovery_for_which_no_controller_was_there_is_left_out(absence, count):
    assert len(checker.recoveries([2.5], [Outage(1, 2, deciding=True)], [Outage(*absence)])) == count


def test_the_verdict_line_and_the_exit_agree():
    clean = checker.check(History(bids=[bid("p", 1.0)], tries=[Try("p", "a", "placed", True)], span=(0, 2.5)))
    doubled = checker.check(History(bids=[bid("p", 1.0), bid("p", 2.0)], span=(0, 2)))

    assert (clean.clean, doubled.clean) == (True, False)
    assert checker.line(clean, 3, 4) == "soak: bids 1, duplicates 0, overlaps 0, regressions 0, walks 3, faults 4, longest pause 1.5 s"
    assert [text.split(":")[0] for text in checker.findings(doubled)] == ["duplicate"]
