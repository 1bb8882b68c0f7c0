import json
import urllib.error
import urllib.request

import pytest

pytestmark = pytest.mark.slow

BID = {"marketplace": "fiverr", "id": "logo-café", "bidder": "me", "amount": 42.5, "token": 7}


def test_it_accepts_a_duplicate_and_counts_it(open_market):
    market = open_market()

    assert [market.post(BID), market.post(BID)] == [201, 201]
    assert market.get("/stats")["duplicates"] == 1


def test_it_answers_400_to_what_is_no_bid_and_goes_on(open_market):
    market = open_market()

    assert [market.post(b'{"x'), market.post(b"\xff"), market.post({"id": 1}), market.post(BID)] == [400, 400, 400, 201]
    assert market.get("/stats")["bids"] == 1


def test_its_count_survives_a_kill(open_market, tmp_path):
    journal = tmp_path / "bids.jsonl"
    market = open_market("--journal", journal)
    market.post(BID)
    market.post(BID)
    market.process.stop()
    with journal.open("a") as file:
        file.write('{"marketplace": "fiv')  # as a kill in the middle of a write leaves it

    again = open_market("--journal", journal)
    again.post(BID)

    assert again.get("/stats")["bids"] == 3
    assert len(journal.read_text().splitlines()) == 4


def test_a_posting_that_takes_no_bids_answers_422(open_market):
    market = open_market("--refuse", 1)

    assert market.post(BID) == 422
    assert (market.get("/stats")["bids"], market.get("/stats")["refused"]) == (0, 1)


def postings(market, query=""):
    with urllib.request.urlopen(f"{market.url}/postings{query}") as answer:
        return [json.loads(line)["id"] for line in answer]


def test_it_serves_the_postings_of_a_feed_from_any_one_on(open_market, tmp_path):
    feed = tmp_path / "feed.jsonl"
    feed.write_text('{"id": "a"}\n{"id": "b"}\n{"id": "half')
    market = open_market("--feed", feed)

    assert (postings(market), postings(market, "?after=1"), postings(market, "?after=2")) == (["a", "b"], ["b"], [])
    assert (postings(market, "?last=1"), postings(market, "?last=9"), postings(market, "?last=1&after=0")) == (
        ["b"],
        ["a", "b"],
        ["a", "b"],
    )
    assert market.get("/stats")["offered"] == 2


def test_it_makes_postings_up_and_goes_on_where_it_stopped(open_market, tmp_path, eventually):
    feed = tmp_path / "feed.jsonl"
    market = open_market("--feed", feed, "--offer", 50)
    eventually(lambda: market.get("/stats")["offered"] >= 3)
    market.process.stop()

    again = open_market("--feed", feed, "--offer", 50)
    eventually(lambda: again.get("/stats")["offered"] >= 6)
    ids = postings(again)

    assert ids == [f"~{number:08x}" for number in range(1, len(ids) + 1)]


def test_without_a_feed_it_says_that_it_has_none(open_market):
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        postings(open_market())

    assert b"--feed" in refused.value.read()
