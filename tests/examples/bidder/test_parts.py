"""The bot's pure parts, and its worklist."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bidlock import SkipReason
from bidlock.errors import ConfigurationError
from bidlock.settings import Settings
from example_bidder import feed, pricing, settings
from example_bidder.feed import Broken, Job, parse
from example_bidder.retrying import TRANSIENT, Backoff
from example_bidder.worklist import Worklist

JOB = Job("upwork", "~01", "Übersetzung", 100.0, None)


def test_a_line_becomes_a_posting():
    line = '{"marketplace": "upwork", "id": "~01", "title": "Übersetzung", "budget": 100, "posted_at": "2026-03-02T08:00:00Z"}'

    assert parse(line.encode(), 1) == JOB._replace(posted_at=datetime(2026, 3, 2, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"cut', "Unterminated"),
        (b"[]", "object"),
        (b"\xff\xfe", "decode"),
        (b'{"id": "1", "budget": 1}', "marketplace is missing"),
        (b'{"marketplace": "x", "id": 1, "budget": 1}', "id must be a text"),
        (b'{"marketplace": "x", "id": "", "budget": 1}', "id must be a text"),
        (b'{"marketplace": "x", "id": "1"}', "budget is missing"),
        (b'{"marketplace": "x", "id": "1", "budget": "lots"}', "lots"),
        (b'{"marketplace": "x", "id": "1", "budget": null}', "NoneType"),
        (b'{"marketplace": "x", "id": "1", "budget": 1' + b"0" * 400 + b"}", "large"),
        (b"[" * 100_000, "recursion"),
        (b'{"marketplace": "x", "id": "1", "budget": 1, "posted_at": "yesterday"}', "yesterday"),
        (b'{"marketplace": "x", "id": "1", "budget": 1, "posted_at": "0001-01-01T00:00:00Z"}', "1970"),
    ],
)
def test_a_broken_line_says_what_is_wrong(line, reason):
    broken = parse(line, 3)

    assert isinstance(broken, Broken)
    assert broken.number == 3
    assert reason in broken.reason


def test_a_byte_order_mark_is_no_part_of_the_feed():
    assert parse(b'\xef\xbb\xbf{"marketplace": "upwork", "id": "~01", "title": "\xc3\x9cbersetzung", "budget": 100}', 1) == JOB


def test_a_stamp_without_a_zone_is_utc():
    job = parse(b'{"marketplace": "x", "id": "1", "budget": 1, "posted_at": "2026-03-02T08:00:00"}', 1)

    assert job.posted_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


async def test_a_followed_file_brings_what_is_appended_also_in_pieces(tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text('{"marketplace": "x", "id": "1", "budget": 50}\n{"marketplace": "x", ')
    items = feed.read(path, follow=True)

    first = await anext(items)
    second = asyncio.ensure_future(anext(items))
    await asyncio.sleep(0)
    with path.open("a") as file:
        file.write('"id": "2", "budget": 50}\n')

    assert (first.id, (await second).id) == ("1", "2")
    await items.aclose()


@pytest.mark.parametrize(("budget", "amount"), [(100.0, 85.0), (9.99, None), (float("nan"), None), (float("inf"), None)])
def test_an_amount_is_a_share_of_a_budget_worth_the_work(budget, amount):
    assert pricing.amount(JOB._replace(budget=budget)) == amount


@pytest.mark.parametrize(("tries", "luck", "pause"), [(1, 1, 0.25), (2, 1, 0.5), (3, 0, 0.5), (6, 1, 5.0), (10_000, 1, 5.0)])
def test_pauses_double_up_to_the_longest(tries, luck, pause):
    assert Backoff().pause(tries, luck) == pause


@pytest.mark.parametrize("reason", SkipReason)
def test_a_skip_is_final_only_when_time_cures_nothing(reason):
    final = {SkipReason.ALREADY_BID, SkipReason.DOMAIN, SkipReason.OWNER, SkipReason.FORMAT, SkipReason.WATERMARK}

    assert (reason in TRANSIENT) == (reason not in final)


@pytest.mark.parametrize(("timeout", "refused"), [(30, False), (291.9, False), (292, True), (400, True), (0, True)])
def test_a_bid_that_may_outlast_its_lease_is_refused(timeout, refused):
    options = settings.parse(["--bid-timeout", str(timeout)])
    try:
        settings.check(options, Settings())
        assert not refused
    except ConfigurationError:
        assert refused


def test_a_feed_that_is_not_there_is_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        settings.parse(["--feed", str(Path("nowhere.jsonl"))])

    assert "there is no file nowhere.jsonl" in capsys.readouterr().err


async def test_a_worklist_ends_when_the_feed_has_and_nothing_is_open():
    worklist = Worklist(10)
    await worklist.add(JOB)
    worklist.fed()
    task = await worklist.take()
    worklist.again(task, 0)

    assert await worklist.take() is task
    worklist.done()
    async with asyncio.timeout(5):  # a worklist that does not end would hang
        assert [await worklist.take() for _ in range(3)] == [None, None, None]


async def test_a_stopped_worklist_hands_out_nothing_more():
    worklist = Worklist(10)
    await worklist.add(JOB)
    worklist.stop()

    assert await worklist.take() is None


async def test_a_full_worklist_lets_the_feed_wait():
    worklist = Worklist(1)
    await worklist.add(JOB)
    second = asyncio.ensure_future(worklist.add(JOB))
    await asyncio.sleep(0)
    assert not second.done()

    worklist.done()
    await second
