"""Names: two different postings never share a lease or a marker, whatever their ids contain."""

from __future__ import annotations

import pytest

from bidlock.backend import Verdict
from bidlock.postings import posting
from bidlock.testing.lab import Lab
from bidlock.testing.scenario import scenario

PAIRS = {
    "colons move": (("a:b", "c"), ("a", "b:c")),
    "an escape written out": (("a%3Ab", "c"), ("a:b", "c")),
    "percent signs": (("a", "%"), ("a", "%25")),
    "braces": (("a", "{b}"), ("a", "b")),
    "braces in the marketplace": (("{a}", "b"), ("a", "b")),
    "a NUL in the middle": (("a", "b\0c"), ("a", "b")),
    "a blank at the end": (("a", "b "), ("a", "b")),
    "line ends": (("a", "b\n"), ("a", "b\r")),
    "upper and lower case": (("a", "B"), ("a", "b")),
    "composed and decomposed": (("a", "\u00e9"), ("a", "e\u0301")),
    "beyond the basic plane": (("a", "\U0001f525"), ("a", "\U0001f526")),
    "lone surrogates": (("a", "\ud800"), ("a", "\ud801")),
    "a surrogate and its escape": (("a", "\ud800"), ("a", "%ED%A0%80")),
    "long ids that differ at the end": (("a", "x" * 3000 + "1"), ("a", "x" * 3000 + "2")),
    "a pipe": (("a", "b|c"), ("a", "b")),
    "wildcards": (("a", "b*"), ("a", "b?")),
    "quotes": (("a", "b'"), ("a", 'b"')),
    "dots and slashes": (("a", "../b"), ("a", "b")),
}


@pytest.mark.parametrize("name", list(PAIRS))
@scenario()
async def test_two_ids_never_share_a_lease(lab: Lab, name: str) -> None:
    first, second = (posting(*ids) for ids in PAIRS[name])
    store = await lab.opened()
    mine, theirs = lab.ticket(first), lab.ticket(second)
    assert (await store.acquire(mine)).ok
    # A store that the original bot shares excludes by its key, too, which joins raw ids; that is safe while it lasts.
    if first.original_key != second.original_key:
        assert (await store.acquire(theirs)).ok
    assert not (await store.release(mine._replace(posting=second))).ok
    assert (await store.renew(mine)).ok


@pytest.mark.parametrize("name", list(PAIRS))
@scenario()
async def test_two_ids_never_share_a_marker(lab: Lab, name: str) -> None:
    first, second = (posting(*ids) for ids in PAIRS[name])
    store = await lab.opened()
    mine, theirs = lab.ticket(first), lab.ticket(second)
    token = (await store.acquire(mine)).token
    assert (await store.claim(mine, token)).ok
    await store.release(mine)
    token = (await store.acquire(theirs)).token
    assert (await store.claim(theirs, token)).ok
    markers = [(await store.inspect(about)).marker for about in (first, second)]
    assert [marker.nonce for marker in markers if marker] == [mine.nonce, theirs.nonce]


@pytest.mark.parametrize("name", list(PAIRS))
@scenario()
async def test_a_strange_id_is_locked_claimed_and_freed_like_any_other(lab: Lab, name: str) -> None:
    about = posting(*PAIRS[name][0])
    store, other = await lab.opened(), await lab.opened()
    ticket, second = lab.ticket(about), lab.ticket(about)
    token = (await store.acquire(ticket)).token
    assert (await other.acquire(second)).verdict is Verdict.HELD
    assert (await store.release(ticket)).ok
    token = (await other.acquire(second)).token
    assert (await other.claim(second, token)).ok
    assert (await store.acquire(ticket)).verdict is Verdict.DONE
