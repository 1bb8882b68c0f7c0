"""What a controller's verbs do to a file, and when they refuse."""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bidlock import postings
from bidlock.backend import SELF, MarkerState, Verdict
from bidlock.errors import BackendError, BackendUnavailable, ConfigurationError
from bidlock.migration.port import MarkerRow, Outcome, Tail

EPOCH = 7
WRITES = {
    "fence": lambda origin, epoch, domain: origin.fence(frozenset({"sqlite"}), epoch),
    "open_mode": lambda origin, epoch, domain: origin.open_mode("strict", epoch),
    "close_mode": lambda origin, epoch, domain: origin.close_mode("sqlite", epoch),
    "stamp": lambda origin, epoch, domain: origin.stamp(Tail(1, 0), epoch, 0, domain),
}
ANYTHING = WRITES | {
    "raise_watermark": lambda origin, epoch, domain: origin.raise_watermark(1, epoch),
    "copy_in": lambda origin, epoch, domain: origin.copy_in([row("upwork:1")], 0, domain),
}


def row(key, nonce=None, **other):
    fields = {"token": 3, "state": MarkerState.PLACED, "posted_at_ms": 1_700_000_000_000, **other}
    return MarkerRow(key, nonce or secrets.token_hex(16), **fields)


async def everything(origin, bucket=0):
    return [one async for chunk in origin.copy_out(bucket) for one in chunk]


async def test_a_missing_file_is_an_empty_store_and_looking_makes_none(origin, path):
    await origin.open()

    assert await origin.survey(0) == replace(await origin.survey(0), reachable=True, initialised=False)
    assert not path.exists()


@pytest.mark.parametrize("before", ["missing", "empty", "the original bot's"])
async def test_a_file_without_meta_becomes_the_controllers(before, origin, path, execute, terms):
    if before == "empty":
        path.touch()
    if before.startswith("the original"):
        execute("CREATE TABLE distributed_locks (id TEXT PRIMARY KEY, lock_key TEXT UNIQUE NOT NULL, holder_id TEXT NOT NULL,"
                " acquired_at FLOAT, expires_at FLOAT, created_at DATETIME)")  # fmt: skip
    assert await origin.constitute(terms, frozenset({"sqlite"})) is Outcome.OK

    seen = await origin.survey(EPOCH)
    assert (seen.initialised, seen.owner, seen.epoch, seen.modes) == (True, "register-1", EPOCH, {"sqlite"})
    assert (len(seen.domain), seen.drained, seen.synced, seen.counter) == (32, True, frozenset(), 0)


@pytest.mark.parametrize(("ttl_max_ms", "after"), [(1000, 3_600_000), (7_200_000, 7_200_000)])
async def test_who_takes_a_file_over_may_raise_the_longest_ttl_but_not_lower_it(origin, make, terms, ttl_max_ms, after):
    bidder = await make()
    assert await origin.constitute(replace(terms, ttl_max_ms=ttl_max_ms), frozenset({"sqlite"})) is Outcome.OK

    assert (await bidder.observe()).ttl_max_ms == after


async def test_a_self_file_is_taken_over_with_its_domain_its_counter_and_its_markers(origin, make, ticket, terms):
    bidder, mine = await make(), ticket()
    token = (await bidder.acquire(mine)).token
    await bidder.claim(mine, token)
    before = await origin.survey(0)
    assert await origin.constitute(terms, frozenset({"sqlite"})) is Outcome.OK

    after = await origin.survey(0)
    assert (after.domain, after.counter, after.owner) == (before.domain, before.counter, "register-1")
    assert [marker.token for marker in await everything(origin)] == [token]
    assert (await bidder.acquire(ticket("other"))).verdict is Verdict.OWNER


async def test_its_own_file_is_left_as_it_is_and_that_of_another_refused(owned, terms):
    before = await owned.survey(EPOCH)

    assert await owned.constitute(replace(terms, epoch=9), frozenset()) is Outcome.OK
    assert await owned.constitute(replace(terms, owner="register-2", epoch=9), frozenset()) is Outcome.OWNER
    assert await owned.survey(EPOCH) == before


async def test_a_file_that_lost_its_meta_alone_is_not_begun_anew(owned, execute, terms):
    await owned.copy_in([row("upwork:1")], 0, (await owned.survey(EPOCH)).domain)
    execute("DELETE FROM bidlock_meta")

    assert await owned.constitute(terms, frozenset({"sqlite"})) is Outcome.CLOSED


@pytest.mark.parametrize("write", WRITES)
async def test_an_older_controller_changes_nothing(write, owned):
    before = await owned.survey(EPOCH)

    assert await WRITES[write](owned, EPOCH - 1, before.domain) is Outcome.EPOCH
    assert await owned.survey(EPOCH) == before


@pytest.mark.parametrize("write", WRITES)
async def test_a_newer_controllers_write_locks_the_older_out(write, owned):
    domain = (await owned.survey(EPOCH)).domain

    assert await WRITES[write](owned, EPOCH + 1, domain) is Outcome.OK
    assert await owned.open_mode("dual", EPOCH) is Outcome.EPOCH


@pytest.mark.parametrize("write", ANYTHING)
async def test_a_file_without_meta_is_closed(write, origin, path):
    assert await ANYTHING[write](origin, EPOCH, "") is Outcome.CLOSED
    assert not path.exists()


@pytest.mark.parametrize("write", ["stamp", "copy_in"])
async def test_a_copy_begun_with_another_file_is_not_put_into_this_one(write, owned):
    assert await ANYTHING[write](owned, EPOCH, "another") is Outcome.CHANGED
    assert await everything(owned) == []
    assert (await owned.survey(EPOCH)).synced == frozenset()


async def test_windows_open_and_close(owned):
    await owned.open_mode("strict", EPOCH)
    await owned.close_mode("sqlite", EPOCH)
    assert (await owned.survey(EPOCH)).modes == {"dual", "strict"}

    await owned.fence(frozenset({"sqlite", "dual", "legacy"}), EPOCH + 1)
    seen = await owned.survey(EPOCH)
    assert (seen.modes, seen.epoch) == ({"strict"}, EPOCH + 1)


async def test_a_window_decides_who_may_lease(owned, make, ticket, terms):
    bidder = await make(owner=terms.owner)
    assert (await bidder.acquire(ticket())).ok

    await owned.close_mode("sqlite", EPOCH)
    assert (await bidder.acquire(ticket("other"))).verdict is Verdict.MODE


async def test_a_watermark_rises_and_never_sinks(owned):
    await owned.raise_watermark(50, EPOCH)
    await owned.raise_watermark(20, EPOCH)
    await owned.stamp(Tail(0, 30), EPOCH, 0, (await owned.survey(EPOCH)).domain)

    assert (await owned.survey(EPOCH)).watermark_ms == 50


@pytest.mark.parametrize(
    ("mode", "left", "drained"),
    [
        ("sqlite", 300.0, False),
        ("dual", 300.0, False),
        ("strict", 300.0, True),
        ("dual", -10.0, False),  # expired, but not by the margin: 5 s and 1 % of an hour
        ("dual", -60.0, True),
        (None, 300.0, False),
        (None, -60.0, True),
        (None, None, False),
    ],
)
async def test_drained_means_that_no_lease_which_rests_on_the_file_alone_is_left(mode, left, drained, owned, make, ticket, execute, terms):
    await owned.open_mode("strict", EPOCH)
    until = None if left is None else time.time() + left
    if mode:
        await (await make(owner=terms.owner)).acquire(ticket(mode=mode))
        execute("UPDATE distributed_locks SET expires_at = ?", until)
    else:
        await owned.remove_fence(EPOCH)
        execute("INSERT INTO distributed_locks VALUES ('1', 'bid:lock:upwork:1', 'host:7:0a1b2c3d', 1.0, ?, NULL)", until)

    assert (await owned.survey(EPOCH)).drained is drained


async def test_a_copy_brings_markers_in_once_and_changes_none_that_is_there(owned):
    domain = (await owned.survey(EPOCH)).domain
    first, again, odd = row("upwork:1"), row("upwork:1"), row("upwork:2", "no hexadecimal digits", state=MarkerState.PRESUMED, token=0)
    for rows in ([first], [again, odd], [again, odd]):
        assert await owned.copy_in(rows, 0, domain) is Outcome.OK

    assert await everything(owned) == [first, odd]


async def test_a_stamp_is_for_one_bucket_and_one_epoch(owned):
    domain = (await owned.survey(EPOCH)).domain
    assert await owned.stamp(Tail(40, 6), EPOCH, 2, domain) is Outcome.OK
    assert await owned.stamp(Tail(30, 5), EPOCH, 0, domain) is Outcome.OK

    seen = await owned.survey(EPOCH)
    assert (seen.synced, seen.counter, seen.watermark_ms) == ({0, 2}, 40, 6)
    assert await owned.tail(0) == Tail(40, 6)
    assert (await owned.survey(EPOCH + 1)).synced == frozenset()


async def test_every_marker_comes_out_of_its_own_bucket_and_of_no_other(make_origin, terms):
    origin = make_origin(buckets=4)
    await origin.constitute(terms, frozenset())
    keys = [f"upwork:{number:04}" for number in range(2500)]
    await origin.copy_in([row(key) for key in keys], 0, (await origin.survey(EPOCH)).domain)

    buckets = [[marker.key for marker in await everything(origin, bucket)] for bucket in range(4)]
    assert buckets == [[key for key in keys if postings.digest(key) % 4 == bucket] for bucket in range(4)]


@pytest.mark.parametrize("what", ["gone", "another"])
async def test_a_copy_is_never_finished_from_a_file_that_is_not_the_one_it_began_with(what, owned, make_origin, path, terms):
    await owned.survey(EPOCH)
    for name in path.parent.glob(path.name + "*"):
        name.unlink()
    if what == "another":
        await make_origin().constitute(terms, frozenset())

    with pytest.raises(BackendUnavailable, match="not the one"):
        await everything(owned)
    with pytest.raises(BackendUnavailable, match="not the one"):
        await owned.tail(0)


async def test_another_number_of_buckets_is_refused_in_an_owned_file_and_set_in_a_self_one(make_origin, make, terms, execute):
    await make()
    assert await make_origin(buckets=4).constitute(terms, frozenset()) is Outcome.OK

    assert execute("SELECT buckets FROM bidlock_meta") == [(4,)]
    with pytest.raises(BackendUnavailable, match="BIDLOCK_BUCKETS=4"):
        await make_origin(buckets=2).survey(EPOCH)


async def test_another_format_is_refused(owned, execute):
    execute("UPDATE bidlock_meta SET format = 2")

    with pytest.raises(BackendUnavailable, match="format 2"):
        await owned.fence(frozenset(), EPOCH)


async def test_a_file_kept_locked_by_another_program_is_unavailable_and_unchanged(owned, path):
    before = await owned.survey(EPOCH)
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackendUnavailable, match="kept locked"):
            await owned.open_mode("strict", EPOCH)

    assert await owned.survey(EPOCH) == before


async def test_a_file_that_is_no_database_is_refused_at_once_and_out_of_reach_later(origin, path):
    path.write_text("no database at all" * 100)

    with pytest.raises(ConfigurationError, match="not a SQLite database"):
        await origin.open()
    with pytest.raises(BackendError, match="not a SQLite database"):
        await origin.survey(0)


async def test_nothing_stays_open_between_two_verbs(owned, path):
    await owned.open_mode("strict", EPOCH)

    assert not [target for target in open_files() if str(path) in target]


def open_files():
    return [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


async def test_a_file_of_an_agent_is_never_created(make_origin, path, terms):
    origin = make_origin(may_create=False)

    for verb in (origin.survey(0), origin.constitute(terms, frozenset({SELF})), origin.tail(0)):
        with pytest.raises(BackendUnavailable, match="does not exist"):
            await verb
    assert not path.exists()
