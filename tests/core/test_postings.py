import itertools

import pytest

from bidlock import InvalidPosting
from bidlock.postings import MAX_ID_BYTES, MAX_KEY_BYTES, SHARDS, posting

HOSTILE = [
    ("upwork", "~01a2b3"),
    ("freelancer", "38412077"),
    ("fiverr", "i-will-design-a-logo"),
    ("a:b", "c"),
    ("a", "b:c"),
    ("a%3Ab", "c"),
    ("a", "b c"),
    ("a", "b%20c"),
    ("a", "\x00"),
    ("a", "%00"),
    ("a", "{b}"),
    ("a", "%7Bb%7D"),
    ("市场", "招聘"),
    ("a", "\ud800"),
    ("a", "%ED%A0%80"),
    ("a", "é"),
    ("a", "e\u0301"),
    ("a", "x" * 500),
    ("a", "x" * 501),
    ("%sha256", "0"),
]


def test_two_postings_never_share_a_key():
    keys = [posting(*ids).key for ids in HOSTILE]

    assert len(set(keys)) == len(HOSTILE)


@pytest.mark.parametrize("ids", HOSTILE)
def test_a_key_is_short_printable_and_free_of_what_stores_treat_specially(ids):
    key = posting(*ids).key

    assert len(key.encode()) <= MAX_KEY_BYTES
    assert not set(key) & set("{}\x00 \n")


def test_an_ordinary_posting_is_readable_in_the_store():
    assert posting("upwork", "~01a2").key == "upwork:~01a2"
    assert posting("upwork", "~01a2").original_key == "bid:lock:upwork:~01a2"


def test_bucket_and_shard_are_spread_and_in_range():
    postings = [posting("upwork", str(number)) for number in range(4000)]

    assert {p.bucket(7) for p in postings} == set(range(7))
    assert all(0 <= p.shard < SHARDS for p in postings)
    assert len({p.shard for p in postings}) > 3500


def test_bucket_and_shard_do_not_move_between_releases():
    found = posting("upwork", "~01a2b3")

    assert (found.digest, found.bucket(16), found.shard) == (5697041993661804007, 7, 20239)


@pytest.mark.parametrize(
    ("marketplace", "posting_id", "says"),
    [
        ("", "1", "the marketplace is empty"),
        ("upwork", "", "the posting id is empty"),
        ("upwork", b"1", "must be text, not bytes"),
        ("upwork", 7, "must be text, not int"),
        ("upwork", "x" * (MAX_ID_BYTES + 1), "longer than 4096 bytes"),
        ("upwork", "é" * MAX_ID_BYTES, "longer than 4096 bytes"),
    ],
)
def test_an_impossible_id_is_refused_with_what_is_wrong(marketplace, posting_id, says):
    with pytest.raises(InvalidPosting, match=says):
        posting(marketplace, posting_id)


def test_keys_of_every_small_combination_of_special_characters_differ():
    alphabet = ["a", ":", "%", "{", "\x00"]
    words = ["".join(w) for n in (1, 2, 3) for w in itertools.product(alphabet, repeat=n)]
    pairs = list(itertools.product(words[:40], words))

    assert len({posting(m, p).key for m, p in pairs}) == len(pairs)
