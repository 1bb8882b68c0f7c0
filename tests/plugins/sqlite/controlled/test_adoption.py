"""A file in which original bots worked is adopted: what they may have bid on before, nobody but them ever bids on."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import pytest

from bidlock.backend import Verdict
from bidlock.migration.port import Outcome

sys.path.insert(0, str(Path(__file__).parents[1] / "programs"))

import original_bot

SKEW_MS = 60_000
BESIDE = frozenset({"sqlite", "legacy"})


@pytest.fixture
def theirs(path):
    """The file of an original bot, which has bid and gone."""
    original_bot.create(str(path))
    original_bot.take(str(path), "upwork", "~old", "host:7:0a1b2c3d")
    original_bot.give_back(str(path), "upwork", "~old", "host:7:0a1b2c3d")
    return path


@pytest.fixture
def adopt(origin, terms):
    async def adopting(modes=BESIDE, skew=SKEW_MS):
        assert await origin.constitute(dataclasses.replace(terms, adoption_skew_ms=skew), modes) is Outcome.OK
        return origin

    return adopting


def now_ms():
    return round(time.time() * 1000)


async def test_its_adoption_is_a_watermark_the_clock_skew_ahead(theirs, adopt):
    before = now_ms()
    seen = await (await adopt()).survey(0)

    assert before + SKEW_MS <= seen.watermark_ms <= now_ms() + SKEW_MS


@pytest.mark.parametrize(
    ("age_ms", "verdict"),
    [(-SKEW_MS - 60_000, Verdict.OK), (0, Verdict.WATERMARK), (3_600_000, Verdict.WATERMARK), (None, Verdict.WATERMARK)],
)
async def test_new_bots_bid_on_what_was_created_after_it_and_on_nothing_else(theirs, adopt, make, ticket, terms, age_ms, verdict):
    await adopt()
    posted = {} if age_ms is None else {"posted_at_ms": now_ms() - age_ms}

    assert (await (await make(owner=terms.owner)).acquire(ticket("~old", **posted))).verdict is verdict


async def test_original_bots_go_on_with_older_postings_behind_the_fence(theirs, adopt, execute):
    await adopt()

    assert original_bot.take(str(theirs), "upwork", "~older", "host:7:0a1b2c3d")
    assert execute("SELECT key, state FROM bidlock_marker") == [("upwork:~older", "presumed")]


async def test_a_later_watermark_refuses_them(theirs, adopt, execute):
    origin = await adopt()
    await origin.raise_watermark((await origin.survey(0)).watermark_ms + 1, 7)

    assert not original_bot.take(str(theirs), "upwork", "~older", "host:7:0a1b2c3d")


async def test_a_lock_that_is_held_at_that_moment_is_presumed_to_be_a_bid(theirs, adopt, execute):
    original_bot.take(str(theirs), "upwork", "~held", "host:7:0a1b2c3d")
    await adopt()

    assert execute("SELECT key, state FROM bidlock_marker") == [("upwork:~held", "presumed")]


@pytest.mark.parametrize("skew", [None, SKEW_MS])
async def test_a_file_that_was_never_theirs_gets_no_watermark(path, adopt, skew):
    assert (await (await adopt(skew=skew)).survey(0)).watermark_ms == 0


async def test_a_human_who_knows_what_was_bid_on_may_have_all_postings(theirs, adopt, make, ticket, terms):
    origin = await adopt(skew=None)

    assert (await origin.survey(0)).watermark_ms == 0
    assert (await (await make(owner=terms.owner)).acquire(ticket("~old"))).ok


async def test_what_was_adopted_is_not_adopted_again(theirs, adopt):
    first = await (await adopt()).survey(0)

    assert (await (await adopt()).survey(0)).watermark_ms == first.watermark_ms


async def test_an_adoption_that_breaks_off_changed_nothing(theirs, adopt, execute, monkeypatch):
    monkeypatch.setattr("bidlock_sqlite.legacyfence.FENCE", {})

    with pytest.raises(KeyError):
        await adopt()
    assert {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")} == {"distributed_locks"}
    assert original_bot.take(str(theirs), "upwork", "~new", "host:7:0a1b2c3d")
