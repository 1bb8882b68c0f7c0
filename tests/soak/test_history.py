"""From journals to a history: what a kill cut off is put together so that nothing is held against the killed."""

from __future__ import annotations

from bidlock_soak.history import Belief, Bid, Grant, Outage, Try, told
from bidlock_soak.journal import Journal, Tail, read


def fact(kind, number=1, **details):
    return {"fact": kind, "attempt": number} | details


TRIED = fact("try", posting="soak:1", bids=True, at=1.0)
LEASED = fact("leased", token=7, mode="strict", at=2.0)
BID = fact("bid", posting="soak:1", token=7, nonce="n", mode="strict", at=3.0)
BELIEVES = fact("believes", deadline=4.0, at=3.0)


def test_an_attempt_that_went_well_is_a_grant_a_bid_a_belief_and_a_try():
    history = told({"b": [TRIED, LEASED, BID, BELIEVES, fact("believed", at=3.5), fact("done", outcome="placed")]})

    assert history.grants == [Grant("soak:1", "b", 7, 1.0, 2.0)]
    assert history.bids == [Bid("soak:1", "b", 7, 3.0, "strict", "n")]
    assert history.beliefs == [Belief("soak:1", "b", 7, 3.0, 3.5)]
    assert history.tries == [Try("soak:1", "b", "placed", True)]
    assert not history.skips


def test_a_reason_is_counted():
    history = told({"b": [TRIED, fact("done", outcome="held")]})

    assert history.tries == [Try("soak:1", "b", "held", False)]
    assert history.skips == {"held": 1}


def test_a_hold_is_no_attempt_to_bid():
    history = told({"b": [TRIED | {"bids": False}, LEASED, fact("done", outcome="released")]})

    assert history.tries == []
    assert len(history.grants) == 1


def test_who_was_killed_believed_until_then_but_not_beyond_the_deadline():
    def killed(at):
        return told({"b": [TRIED, LEASED, BELIEVES], "soak": [{"fact": "killed", "process": "b", "at": at}]})

    assert [killed(at).beliefs[0].end for at in (3.25, 9.0)] == [3.25, 4.0]
    assert killed(3.25).tries == [Try("soak:1", "b", "", True)]


def test_of_who_vanished_at_an_unknown_time_only_the_first_moment_counts():
    assert told({"b": [TRIED, LEASED, BELIEVES]}).beliefs == [Belief("soak:1", "b", 7, 3.0, 3.0)]


def test_faults_outages_and_walks_are_taken_from_those_who_made_them():
    history = told(
        {
            "soak": [
                {"fact": "begun", "at": 1.0},
                {"fact": "fault", "kind": "Redis killed"},
                {"fact": "outage", "start": 2.0, "end": 3.0, "deciding": True},
                {"fact": "ended", "at": 9.0},
            ],
            "walker-1": [{"fact": "fault", "kind": "Redis emptied"}, {"fact": "walked", "at": 5.0}],
            "walker-2": [{"fact": "walked", "at": 8.0}],
        }
    )

    assert history.faults == {"Redis killed": 1, "Redis emptied": 1}
    assert (history.walks, history.span, history.outages) == (2, (1.0, 9.0), [Outage(2.0, 3.0, deciding=True)])


def test_a_controller_is_absent_from_its_end_until_another_is_at_work():
    history = told(
        {
            "soak": [{"fact": "left", "at": 3.0}, {"fact": "left", "at": 8.0}, {"fact": "absence", "start": 5.0, "end": 5.5}],
            "walker-1": [{"fact": "at work", "at": 1.0}],
            "walker-2": [{"fact": "at work", "at": 4.0}],
        }
    )

    assert sorted(history.absences) == [Outage(3.0, 4.0), Outage(5.0, 5.5), Outage(8.0, float("inf"))]


def test_a_line_that_was_cut_off_is_no_fact(tmp_path):
    Journal(tmp_path / "b.jsonl").note("try", at=1.0)
    with (tmp_path / "b.jsonl").open("a") as file:
        file.write('{"fact": "bi')

    assert list(read(tmp_path / "b.jsonl")) == [{"fact": "try", "at": 1.0}]


def test_a_tail_counts_what_was_added_over_all_files(tmp_path):
    tail, one = Tail(tmp_path, "b*.jsonl", "bid"), Journal(tmp_path / "b1.jsonl")
    one.note("bid", sure=True, at=1.0)
    one.note("bids", at=1.0)
    assert tail.count() == 1

    Journal(tmp_path / "b2.jsonl").note("bid")
    one.note("bid")
    assert tail.count() == 3
