"""An original bot and bidlock in one file exclude each other, in both directions."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from bidlock.backend import MarkerState, Verdict

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def original() -> ModuleType:
    spec = importlib.util.spec_from_file_location("original_bot", PROGRAMS / "original_bot.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["its table first", "our tables first"])
async def store(request, make, path, original):
    if request.param == "its table first":
        original.create(path)
    return await make()


async def test_its_lease_is_held_for_us_until_it_gives_it_back(store, ticket, path, original) -> None:
    mine = ticket()
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    held = await store.acquire(mine)
    assert held.verdict is Verdict.HELD
    assert 290_000 < held.remaining_ms <= 300_000
    lease = (await store.inspect(mine.posting)).lease
    assert (lease.nonce, lease.token, lease.holder) == ("", 0, "host:7:0a1b2c3d")
    assert original.give_back(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    assert (await store.acquire(mine)).ok


async def test_our_lease_is_a_conflict_for_it_until_we_release(store, ticket, path, original) -> None:
    mine = ticket()
    await store.acquire(mine)
    assert not original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    assert not original.give_back(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    await store.release(mine)
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")


async def test_its_expired_lease_is_ours_to_take(store, ticket, path, original) -> None:
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d", ttl=-1.0)
    assert (await store.acquire(ticket())).ok
    assert not original.give_back(path, "upwork", "~01ab", "host:7:0a1b2c3d")


async def test_our_expired_lease_is_its_to_take_and_lost_for_us(store, ticket, path, original) -> None:
    mine = ticket()
    token = (await store.acquire(mine)).token
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE distributed_locks SET expires_at = 1.5")
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    answers = [await store.renew(mine), await store.claim(mine, token), await store.confirm(mine, token), await store.release(mine)]
    assert {answer.verdict for answer in answers} == {Verdict.LOST}
    assert not original.take(path, "upwork", "~01ab", "host:8:0a1b2c3d")


async def test_its_lease_can_be_broken_by_a_human(store, ticket, path, original) -> None:
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    assert (await store.break_(ticket().posting, by="ann", reason="stuck")).holder == "host:7:0a1b2c3d"
    assert (await store.acquire(ticket())).ok


async def test_a_posting_it_may_have_bid_on_can_be_marked(store, ticket, path, original) -> None:
    assert original.take(path, "upwork", "~01ab", "host:7:0a1b2c3d")
    assert (await store.mark(ticket(), 0, MarkerState.PRESUMED)).ok
    assert (await store.acquire(ticket())).verdict is Verdict.DONE


async def test_our_rows_are_written_as_it_writes_them(store, ticket, path, original) -> None:
    assert original.take(path, "upwork", "its", "host:7:0a1b2c3d")
    mine = ticket("ours")
    await store.acquire(mine)
    with closing(sqlite3.connect(path)) as connection:
        types = connection.execute(
            "SELECT typeof(id), typeof(lock_key), typeof(holder_id), typeof(acquired_at), typeof(expires_at), typeof(created_at) "
            "FROM distributed_locks"
        ).fetchall()
        row = connection.execute(
            "SELECT holder_id, expires_at - acquired_at FROM distributed_locks WHERE lock_key = 'bid:lock:upwork:ours'"
        )
        assert row.fetchone() == ("bl1:" + mine.nonce, pytest.approx(300.0, abs=0.001))
    assert types[0] == types[1]


def test_original_bots_and_bidlock_in_many_processes_are_never_inside_together(path, tmp_path, original) -> None:
    original.create(path)
    flag = tmp_path / "inside"
    originals = [subprocess.Popen([sys.executable, PROGRAMS / "original_bot.py", path, flag, "15"]) for _ in range(2)]
    ours = [subprocess.Popen([sys.executable, PROGRAMS / "contender.py", path, flag, "10", "2"]) for _ in range(2)]
    assert [process.wait() for process in originals + ours] == [0, 0, 0, 0]
