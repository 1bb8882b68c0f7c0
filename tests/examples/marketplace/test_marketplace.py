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
