"""Original bots behind the trigger fence: their own SQL, one connection per step, obeys windows, markers and the watermark."""

from __future__ import annotations

import sqlite3
import time

import pytest

from bidlock.backend import Verdict
from bidlock.migration.port import Outcome
from bidlock.postings import posting

COLUMNS = "INTO distributed_locks (id, lock_key, holder_id, acquired_at, expires_at, created_at) VALUES (lower(hex(randomblob(16))), ?, ?, ?, ?, 0)"
WAYS = {
    "insert": f"INSERT {COLUMNS}",
    "insert or ignore": f"INSERT OR IGNORE {COLUMNS}",
    "insert or replace": f"INSERT OR REPLACE {COLUMNS}",
    "update of an expired row": "UPDATE distributed_locks SET holder_id = ?2, acquired_at = ?3, expires_at = ?4 WHERE lock_key = ?1",
}
EPOCH = 7


@pytest.fixture
async def fenced(owned):
    assert await owned.install_fence(EPOCH) is Outcome.OK
    return owned


@pytest.fixture
async def store(fenced, make, terms):
    return await make(owner=terms.owner)


@pytest.fixture
def take(execute):
    """Take a lock as an original bot does; an expired row of ours lies there for those that take over."""

    def taking(way, marketplace="upwork", name="~01ab", holder="host:7:0a1b2c3d"):
        key = f"bid:lock:{marketplace}:{name}"
        if way.startswith("update"):
            execute(WAYS["insert or ignore"], key, "bl1:gone", 1.0, 2.0)
        return execute(WAYS[way], key, holder, time.time(), time.time() + 300)

    return taking


@pytest.mark.parametrize("way", WAYS)
async def test_a_lock_of_an_original_bot_plants_a_marker_that_outlives_it(way, store, ticket, take, execute):
    take(way)
    execute("DELETE FROM distributed_locks")

    mine = ticket()
    assert (await store.acquire(mine)).verdict is Verdict.DONE
    assert (await store.inspect(mine.posting)).marker.state == "presumed"


@pytest.mark.parametrize("way", WAYS)
async def test_an_original_bot_is_refused_a_posting_that_was_bid_on(way, store, ticket, take, execute):
    mine = ticket()
    await store.claim(mine, (await store.acquire(mine)).token)
    await store.release(mine)

    with pytest.raises(sqlite3.IntegrityError, match="was bid on"):
        take(way)
    assert execute("SELECT count(*) FROM distributed_locks WHERE holder_id LIKE 'host%'") == [(0,)]


@pytest.mark.parametrize("way", WAYS)
async def test_an_original_bot_is_refused_once_its_window_is_closed(way, fenced, take, execute):
    await fenced.fence(frozenset({"sqlite", "dual", "legacy"}), EPOCH)

    with pytest.raises(sqlite3.IntegrityError, match="not admitted"):
        take(way)
    assert execute("SELECT count(*) FROM bidlock_marker") == [(0,)]


@pytest.mark.parametrize("way", WAYS)
async def test_an_original_bot_is_refused_once_a_watermark_is_set(way, fenced, take):
    await fenced.raise_watermark(1, EPOCH)

    with pytest.raises(sqlite3.IntegrityError, match="watermark"):
        take(way)


async def test_a_lock_of_ours_is_a_conflict_for_it_and_its_lock_holds_ours_off(store, ticket, take):
    await store.acquire(ticket("ours"))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        take("insert", name="ours")

    take("insert", name="its")
    assert (await store.acquire(ticket("its"))).verdict is Verdict.DONE


async def test_our_own_locks_plant_nothing_and_need_no_window_of_original_bots(store, fenced, ticket, execute):
    await fenced.close_mode("legacy", EPOCH)

    assert (await store.acquire(ticket())).ok
    assert execute("SELECT count(*) FROM bidlock_marker") == [(0,)]


@pytest.mark.parametrize(("marketplace", "name"), [("upwork", "urn:job:1"), ("up:work", "1"), ("upwörk", "ä–1"), ("a:b", "c:d")])
async def test_ids_with_colons_or_letters_of_any_language_are_the_same_posting_for_both(marketplace, name, store, ticket, take, execute):
    take("insert", marketplace, name)
    execute("DELETE FROM distributed_locks")
    assert (await store.acquire(ticket(name, marketplace))).verdict is Verdict.DONE

    other = ticket(name + "x", marketplace)
    await store.claim(other, (await store.acquire(other)).token)
    with pytest.raises(sqlite3.IntegrityError, match="was bid on"):
        take("insert", marketplace, name + "x")


@pytest.mark.parametrize("name", ["a b", "50%", "{1}", "tab\there", "\x7f", "nul\0", "x" * 200])
async def test_ids_whose_key_cannot_be_told_in_sql_are_refused_to_original_bots(name, fenced, take):
    assert posting("upwork", name).key != f"upwork:{name}" or len(name) == 200

    with pytest.raises(sqlite3.IntegrityError, match="not for original bots"):
        take("insert", name=name)


@pytest.mark.parametrize("name", ["~01ab", "a b", "x" * 300, "urn:1", ":1"])
async def test_a_lock_that_is_there_when_the_fence_is_built_is_presumed_to_be_a_bid(name, owned, take, execute):
    await owned.remove_fence(EPOCH)
    take("insert", name=name)
    await owned.install_fence(EPOCH)

    assert (posting("upwork", name).key, "presumed") in execute("SELECT key, state FROM bidlock_marker")


async def test_a_fence_built_while_the_file_has_no_authority_admits_no_original_bot(owned, take):
    await owned.fence(frozenset({"sqlite", "dual", "legacy"}), EPOCH)
    await owned.install_fence(EPOCH)

    with pytest.raises(sqlite3.IntegrityError, match="not admitted"):
        take("insert")


async def test_without_the_fence_an_original_bot_is_alone_again(fenced, take, execute):
    assert await fenced.install_fence(EPOCH) is Outcome.OK
    assert await fenced.remove_fence(EPOCH) is Outcome.OK
    take("insert")

    assert execute("SELECT count(*) FROM bidlock_marker") == [(0,)]
    assert "legacy" not in (await fenced.survey(EPOCH)).modes


@pytest.mark.parametrize("verb", ["install_fence", "remove_fence"])
async def test_an_older_controller_neither_builds_the_fence_nor_takes_it_away(verb, fenced, take, execute):
    before = execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")

    assert await getattr(fenced, verb)(EPOCH - 1) is Outcome.EPOCH
    assert execute("SELECT name FROM sqlite_master WHERE type = 'trigger'") == before


async def test_the_original_bots_counter_of_markers_rises_too(fenced, take):
    before = (await fenced.survey(EPOCH)).counter
    take("insert")

    assert (await fenced.survey(EPOCH)).counter == before + 1


@pytest.mark.parametrize("modes", [set(), {"sqlite"}], ids=["Redis has the authority", "the file has it"])
async def test_a_file_has_the_fence_from_the_moment_a_controller_has_it(origin, terms, take, modes):
    assert await origin.constitute(terms, frozenset(modes)) is Outcome.OK

    with pytest.raises(sqlite3.IntegrityError, match="not admitted now"):
        take("insert")


async def test_a_controller_that_is_told_of_original_bots_lets_them_go_on_behind_the_fence(origin, terms, take, execute):
    assert await origin.constitute(terms, frozenset({"sqlite", "legacy"})) is Outcome.OK
    take("insert")

    assert execute("SELECT key, state FROM bidlock_marker") == [("upwork:~01ab", "presumed")]


async def test_a_self_store_that_is_taken_over_gets_the_fence_too(make, origin, terms, take):
    await make()
    assert await origin.constitute(terms, frozenset({"sqlite"})) is Outcome.OK

    with pytest.raises(sqlite3.IntegrityError, match="not admitted now"):
        take("insert")
