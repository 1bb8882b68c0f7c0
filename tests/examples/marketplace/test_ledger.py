import pytest

from example_marketplace.ledger import BadBid, Bid, Ledger, parse

FIRST = Bid("upwork", "~01", "a", 10.0, 1)


@pytest.mark.parametrize(
    ("bids", "counted"),
    [
        ([], (0, 0, 0)),
        ([FIRST], (1, 1, 0)),
        ([FIRST, FIRST._replace(bidder="b")], (2, 1, 1)),
        ([FIRST, FIRST, FIRST], (3, 1, 2)),
        ([FIRST, FIRST._replace(id="~02"), FIRST._replace(marketplace="fiverr")], (3, 3, 0)),
    ],
)
def test_every_bid_after_a_postings_first_is_a_duplicate(bids, counted):
    ledger = Ledger()
    for bid in bids:
        ledger.accept(bid)

    stats = ledger.stats()

    assert (stats["bids"], stats["postings"], stats["duplicates"]) == counted


def test_a_doubled_posting_is_told_with_all_its_bids():
    ledger = Ledger()
    ledger.accept(FIRST)
    ledger.accept(FIRST._replace(bidder="b", token=2))

    (detail,) = ledger.stats()["details"]

    assert (detail["marketplace"], detail["id"]) == ("upwork", "~01")
    assert [(bid["bidder"], bid["token"]) for bid in detail["bids"]] == [("a", 1), ("b", 2)]


def test_a_posting_refuses_every_bidder_or_none():
    ledger = Ledger(refuse=0.5)
    postings = [FIRST._replace(id=str(number)) for number in range(200)]

    once = [ledger.refuses(bid) for bid in postings]

    assert once == [ledger.refuses(bid._replace(bidder="other")) for bid in postings]
    assert {True, False} == set(once)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([], "object"),
        ({}, "marketplace"),
        ({"marketplace": "x", "id": "", "bidder": "a", "amount": 1}, "id"),
        ({"marketplace": "x", "id": 7, "bidder": "a", "amount": 1}, "id"),
        ({"marketplace": "x", "id": "1", "bidder": "a"}, "amount"),
        ({"marketplace": "x", "id": "1", "bidder": "a", "amount": "1"}, "amount"),
        ({"marketplace": "x", "id": "1", "bidder": "a", "amount": 1, "token": True}, "token"),
    ],
)
def test_a_broken_bid_is_refused_with_the_field_that_is_wrong(fields, named):
    with pytest.raises(BadBid, match=named):
        parse(fields)


def test_a_bid_needs_no_token():
    assert parse({"marketplace": "x", "id": "1", "bidder": "a", "amount": 1}).token == 0
