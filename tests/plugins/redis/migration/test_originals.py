"""Locks of original bots on a server, found a part at a time."""

from __future__ import annotations

import pytest

from bidlock.errors import BackendUnavailable
from bidlock_redis import originals

pytestmark = [pytest.mark.servers, pytest.mark.slow]

LOCK = "bid_lock:upwork:~01"


async def test_a_lock_of_an_original_bot_is_found_among_other_keys_while_it_is_there(own_store):
    for number in range(50):
        own_store.server.command("SET", f"other:{number}", "x")
    assert await own_store.target.original_lock() == ""

    own_store.server.command("SET", LOCK, "bot", "EX", 300)
    assert await own_store.target.original_lock() == LOCK
    own_store.server.command("DEL", LOCK)
    assert await own_store.target.original_lock() == ""


async def test_a_large_server_is_searched_a_part_at_a_time(own_store, monkeypatch):
    monkeypatch.setattr(originals, "STEPS", 1)
    monkeypatch.setattr(originals, "AT_ONCE", 10)
    for number in range(500):
        own_store.server.command("SET", f"other:{number}", "x")
    own_store.server.command("SET", LOCK, "bot", "EX", 300)

    found = [await own_store.target.original_lock() for _ in range(100)]
    assert LOCK in found


async def test_a_server_that_may_not_be_searched_says_so(own_store):
    own_store.server.command("ACL", "SETUSER", "default", "-scan")

    with pytest.raises(BackendUnavailable):
        await own_store.target.original_lock()
    own_store.server.command("ACL", "SETUSER", "default", "+scan")
