"""The bot as a process, over a SQLite file, against a real marketplace."""

import asyncio
import json
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

import bidlock

pytestmark = pytest.mark.slow


def line(posting: str) -> str:
    return json.dumps({"marketplace": "upwork", "id": posting, "title": "Ελληνικά", "budget": 100, "posted_at": "2026-03-02T08:00:00Z"})


@pytest.fixture
def store(tmp_path) -> dict[str, str]:
    return {"BIDLOCK_URL": f"sqlite:///{tmp_path / 'bids.db'}"}


@pytest.fixture
def feed(tmp_path):
    def write(*lines: str):
        path = tmp_path / "feed.jsonl"
        path.write_text("".join(f"{text}\n" for text in lines))
        return path

    return write


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_two_bidders_bid_once_on_every_posting_of_a_feed_with_repeats(run, open_market, store, feed):
    market = open_market()
    path = feed(*[line(f"~0{number % 20}") for number in range(40)])

    bots = [run("example_bidder", "--feed", path, "--marketplace", market.url, "--port", -1, environment=store) for _ in range(2)]

    assert [bot.end() for bot in bots] == [0, 0]
    stats = market.get("/stats")
    assert (stats["bids"], stats["postings"], stats["duplicates"]) == (20, 20, 0)


def test_broken_lines_are_counted_shown_and_skipped(run, open_market, store, feed):
    market = open_market()
    path = feed(line("~01"), '{"marketplace": "upw', "", line("~02"))

    bot = run("example_bidder", "--feed", path, "--marketplace", market.url, "--port", -1, environment=store)

    assert bot.end() == 0
    assert [(event["number"], event["line"]) for event in bot.events("broken line")] == [(2, '{"marketplace": "upw')]
    assert market.get("/stats")["bids"] == 2


def test_postings_come_through_a_pipe_too(run, open_market, store):
    market = open_market()

    bot = run("example_bidder", "--marketplace", market.url, "--port", -1, environment=store, stdin=subprocess.PIPE)
    bot.popen.stdin.write(line("~01").encode() + b"\n" + line("~02").encode())
    bot.popen.stdin.close()

    assert bot.end() == 0
    assert market.get("/stats")["bids"] == 2


def test_postings_come_from_a_marketplace_too_over_its_restart(run, open_market, store, feed, tmp_path, eventually):
    path, port = feed(line("~00"), line("~01"), line("~02")), tmp_path / "port"
    market = open_market("--feed", path)
    bot = run(
        "example_bidder",
        "--feed",
        f"{market.url}/postings?last=2",
        "--follow",
        "--marketplace",
        market.url,
        "--port",
        -1,
        environment=store,
    )
    eventually(lambda: len(bot.events("bid")) == 2)

    number = port.read_text()
    market.process.stop()
    eventually(lambda: bot.events("the feed broke off"))
    open_market("--feed", path, "--port", number)
    feed(line("~00"), line("~01"), line("~02"), line("~03"))
    eventually(lambda: len(bot.events("bid")) == 3)
    bot.popen.send_signal(signal.SIGTERM)

    assert bot.end() == 0
    assert [event["id"] for event in bot.events("bid")] == ["~01", "~02", "~03"]
    assert not bot.events("skipped")


def test_on_sigterm_the_bids_underway_end_and_none_begins(run, open_market, store, feed, eventually):
    market = open_market("--latency", 2)
    path = feed(*[line(f"~0{number}") for number in range(50)])
    bot = run("example_bidder", "--feed", path, "--marketplace", market.url, "--port", -1, "--concurrency", 3, environment=store)
    eventually(lambda: market.get("/stats")["bids"] == 3)

    bot.popen.send_signal(signal.SIGTERM)

    assert bot.end() == 0
    assert [event["result"] for event in bot.events("bid")] == ["placed"] * 3
    assert market.get("/stats")["bids"] == 3


def test_on_sigterm_a_bidder_that_waits_for_more_ends_at_once(run, open_market, store, feed, eventually):
    bot = run("example_bidder", "--feed", feed(), "--follow", "--port", -1, environment=store)
    eventually(lambda: bot.events("started"))

    bot.popen.send_signal(signal.SIGTERM)

    assert bot.end() == 0


async def test_a_posting_that_another_bidder_holds_and_lets_go_is_tried_again(run, open_market, store, feed, eventually):
    market = open_market()
    async with bidlock.connect(environment=store) as locks, locks.hold("upwork", "~01"):
        bot = run("example_bidder", "--feed", feed(line("~01")), "--marketplace", market.url, "--port", -1, environment=store)
        eventually(lambda: [event for event in bot.events("skipped") if event["reason"] == "held"])

    assert bot.end() == 0
    assert market.get("/stats")["bids"] == 1


def test_a_refused_bid_is_recorded_and_never_tried_again(run, open_market, store, feed):
    market = open_market("--refuse", 1)
    path = feed(line("~01"), line("~01"))

    bot = run("example_bidder", "--feed", path, "--marketplace", market.url, "--port", -1, "--concurrency", 1, environment=store)

    assert bot.end() == 0
    assert [event["result"] for event in bot.events("bid")] == ["rejected"]
    assert market.get("/stats")["refused"] == 1


def test_a_bid_without_a_clear_answer_is_never_tried_again(run, open_market, store, feed):
    market = open_market("--latency", 60)
    arguments = ("--feed", feed(line("~01")), "--marketplace", market.url, "--port", -1, "--bid-timeout", 0.5)

    first = run("example_bidder", *arguments, environment=store)
    assert first.end() == 0
    second = run("example_bidder", *arguments, environment=store)

    assert second.end() == 0
    assert [event["result"] for event in first.events("bid")] == ["unknown"]
    assert [event["reason"] for event in second.events("skipped")] == ["already_bid"]


async def test_a_claimed_posting_waits_for_a_marketplace_that_is_out_of_reach(run, open_market, store, feed, tmp_path):
    market = open_market()
    number = (tmp_path / "port").read_text()
    market.process.stop()
    bot = run("example_bidder", "--feed", feed(line("~01")), "--marketplace", market.url, "--port", -1, environment=store)
    async with bidlock.connect(environment=store) as locks, asyncio.timeout(10):
        while not (await locks.inspect("upwork", "~01")).marker:
            await asyncio.sleep(0.02)
    assert not bot.events("bid")

    again = open_market("--port", number)

    assert bot.end() == 0
    assert [event["result"] for event in bot.events("bid")] == ["placed"]
    assert again.get("/stats")["bids"] == 1


def test_it_is_ready_while_its_store_is_away_and_tells_what_it_counts(run, feed, eventually, tmp_path):
    away = {"BIDLOCK_URL": "redis://127.0.0.1:1", "BIDLOCK_REACH_TIMEOUT": "0.1"}
    bot = run("example_bidder", "--feed", feed(line("~01")), "--port", 0, environment=away)
    (listening,) = eventually(lambda: bot.events("listening"))
    url = f"http://127.0.0.1:{listening['port']}"
    eventually(lambda: bot.events("skipped"))

    assert (status(f"{url}/healthz"), status(f"{url}/readyz")) == (200, 200)
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        assert 'bidder_skips_total{reason="unreachable"}' in answer.read().decode()


def test_a_wrong_configuration_is_one_sentence_and_code_2(run, feed):
    bot = run("example_bidder", "--feed", feed(), "--port", -1, "--bid-timeout", 500, environment={"BIDLOCK_URL": "memory://"})

    assert bot.end() == 2
    assert "raise BIDLOCK_TTL" in bot.log.read_text()
    assert "Traceback" not in bot.log.read_text()
