import json
import random
import re
import unicodedata

import pytest

from bidlock_demo.feed import DISORDER, FeedError, generate, load
from example_bidder.feed import Job, parse

IDS = {"freelancer": r"\d{8}", "upwork": r"~01[0-9a-f]{16}", "fiverr": r"[a-z]+(-[a-z]+)+-[0-9a-f]{4}"}


@pytest.fixture(scope="module")
def feed():
    return generate(400, seed=1)


@pytest.fixture(scope="module")
def jobs(feed):
    return [job for line in feed.lines if isinstance(job := parse(line, 1), Job)]


def test_the_same_seed_makes_the_same_feed(feed):
    assert generate(400, seed=1).lines == feed.lines
    assert generate(400, seed=2).postings.isdisjoint(feed.postings)


@pytest.mark.parametrize("wanted", [1, 2, 60, 400])
def test_it_has_as_many_different_postings_as_asked_for(wanted):
    assert len(generate(wanted, seed=3).postings) == wanted


def test_ids_look_as_the_marketplaces_write_them(feed):
    assert {key.marketplace for key in feed.postings} == set(IDS)
    assert all(re.fullmatch(IDS[key.marketplace], key.id) for key in feed.postings)


def test_titles_come_in_several_scripts(jobs):
    scripts = {unicodedata.name(letter).split()[0] for job in jobs for letter in job.title if letter.isalpha()}

    assert scripts >= {"LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "DEVANAGARI", "HANGUL", "CJK", "KATAKANA"}


def test_every_posting_has_a_budget_and_a_stamp(jobs):
    assert all(job.budget >= 50 and job.posted_at for job in jobs)


def test_some_postings_come_twice_and_some_lines_are_broken(feed, jobs):
    assert len(jobs) == 420
    assert len(feed.broken) == 3


def test_each_bidder_sees_all_of_it_in_an_order_that_differs_by_a_few_places(feed):
    one, other = (feed.order(random.Random(seed)) for seed in (1, 2))

    assert sorted(one) == sorted(other) == sorted(feed.lines)
    assert one != other
    assert one.index(feed.lines[100]) < 100 + 2 * DISORDER


def test_a_users_feed_is_read_with_its_broken_lines(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"marketplace": "x", "id": "1", "budget": 50}) + "\n\n{broken\n")

    feed = load(path)

    assert (len(feed.postings), [item.number for item in feed.broken]) == (1, [3])


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), ("", "no posting in"), ("{}\n", "line 1: marketplace is missing")])
def test_a_feed_that_cannot_be_used_is_refused_with_what_to_do(tmp_path, content, said):
    path = tmp_path / "mine.jsonl"
    if content is not None:
        path.write_text(content)

    with pytest.raises(FeedError, match=said) as refused:
        load(path)
    assert "marketplace, id, title, budget, posted_at" in str(refused.value)
