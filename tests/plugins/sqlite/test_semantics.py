"""What each primitive answers; the conformance kit asks far more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bidlock.backend import Inspection, MarkerState, SelfMeta, Verdict

META = SelfMeta("sqlite", ttl_max_ms=3_600_000, margin_ms=5_000)
HOSTILE = ["\0", "a\0b", "\ud800", "é\udfff", "%", "{x}", "'; DROP TABLE bidlock_meta; --", "–" * 1300, "𝄞", "\r\n", "~01%00", " "]


def change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def ask(path: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


async def test_a_lease_excludes_everybody_else_until_it_is_released(store, ticket) -> None:
    mine, other = ticket(), ticket()
    assert (await store.acquire(mine)).ok
    held = await store.acquire(other)
    assert held.verdict is Verdict.HELD
    assert 0 < held.remaining_ms <= 300_000
    assert (await store.release(mine)).ok
    assert (await store.acquire(other)).ok


async def test_tokens_grow_and_never_fall_below_the_floor(store, ticket) -> None:
    mine = ticket()
    first = await store.acquire(mine)
    again = await store.acquire(mine)
    high = await store.acquire(mine, floor=1 << 40)
    assert 0 < first.token < again.token < high.token == 1 << 40


async def test_an_expired_lease_is_lost_and_free(store, ticket, path) -> None:
    mine, other = ticket(), ticket()
    await store.acquire(mine)
    change(path, "UPDATE distributed_locks SET expires_at = 1.5")
    assert (await store.renew(mine)).verdict is Verdict.LOST
    assert (await store.confirm(mine, 1)).verdict is Verdict.LOST
    assert (await store.claim(mine, 1)).verdict is Verdict.LOST
    assert (await store.acquire(other)).ok
    assert (await store.release(mine)).verdict is Verdict.LOST
    assert (await store.inspect(mine.posting)).lease.nonce == other.nonce


async def test_a_renewed_lease_has_its_full_ttl_again(store, ticket, path) -> None:
    mine = ticket()
    await store.acquire(mine)
    change(path, "UPDATE distributed_locks SET expires_at = expires_at - 299")
    assert (await store.renew(mine)).ok
    assert (await store.inspect(mine.posting)).lease.remaining_ms > 290_000


async def test_a_lease_is_passed_on_inside_a_process_under_a_new_token(store, ticket) -> None:
    giver, receiver = ticket(), ticket()
    first = await store.acquire(giver)
    second = await store.acquire(receiver, passed_from=giver.nonce)
    assert second.token > first.token
    assert (await store.release(giver)).verdict is Verdict.LOST
    assert (await store.renew(receiver)).ok


async def test_a_claimed_posting_is_done_for_everybody_else_for_good(store, ticket) -> None:
    mine, other = ticket(posted_at_ms=1_700_000_000_000), ticket()
    token = (await store.acquire(mine)).token
    assert (await store.claim(mine, token)).ok
    assert (await store.claim(mine, token)).ok
    assert (await store.record(mine, MarkerState.PLACED)).ok
    await store.release(mine)
    assert (await store.acquire(other)).verdict is Verdict.DONE
    assert (await store.record(other, MarkerState.PLACED)).verdict is Verdict.LOST
    assert (await store.mark(other, 9)).verdict is Verdict.DONE
    assert await store.inspect(mine.posting) == Inspection(None, (mine.nonce, token, MarkerState.PLACED, 1_700_000_000_000))


async def test_a_mark_needs_no_lease(store, ticket) -> None:
    late = ticket()
    assert (await store.mark(late, 3, MarkerState.PRESUMED)).ok
    assert (await store.inspect(late.posting)).marker.state is MarkerState.PRESUMED


async def test_a_broken_lease_is_audited_and_its_holder_loses(store, ticket, path) -> None:
    mine = ticket()
    token = (await store.acquire(mine)).token
    broken = await store.break_(mine.posting, by="ann", reason="stuck")
    assert (broken.nonce, broken.token) == (mine.nonce, token)
    assert (await store.renew(mine)).verdict is Verdict.LOST
    assert (await store.observe()).counter == token + 1
    assert ask(path, "SELECT key, holder, broken_by, reason FROM bidlock_audit") == [("upwork:~01ab", "host:1", "ann", "stuck")]
    assert await store.break_(mine.posting, by="ann", reason="again") is None


async def test_confirm_raises_the_counter(store, ticket) -> None:
    mine = ticket()
    await store.acquire(mine)
    assert (await store.confirm(mine, 77)).token == 77
    assert (await store.observe()).counter == 77


async def test_a_bidder_that_rests_on_redis_leaves_its_marker_whatever_the_window_says(store, ticket) -> None:
    placed = ticket(mode="primary")
    assert (await store.acquire(placed)).verdict is Verdict.MODE
    assert (await store.mark(placed, 3, MarkerState.PLACED)).ok
    assert (await store.mark(ticket("other", mode="only"), 3)).verdict is Verdict.MODE

    assert (await store.inspect(placed.posting)).marker.state is MarkerState.PLACED


@pytest.mark.parametrize(
    ("column", "value", "verdict"),
    [
        ("owner", "policy-1", Verdict.OWNER),
        ("format", 2, Verdict.FORMAT),
        ("buckets", 7, Verdict.FORMAT),
        ("hash", "md5", Verdict.FORMAT),
        ("modes", ",dual,", Verdict.MODE),
        ("ttl_max_ms", 1000, Verdict.TTL),
        ("watermark_ms", 1, Verdict.WATERMARK),
    ],
)
async def test_the_guard_refuses(store, ticket, path, column, value, verdict) -> None:
    change(path, f"UPDATE bidlock_meta SET {column} = ?", value)
    assert (await store.acquire(ticket())).verdict is verdict


async def test_the_guard_refuses_a_client_of_another_file(store, ticket) -> None:
    domain = (await store.observe()).domain
    assert (await store.acquire(ticket(domain=domain))).ok
    assert (await store.acquire(ticket("other", domain="0" * 32))).verdict is Verdict.DOMAIN


async def test_the_guard_stands_before_each_step_but_release(store, ticket, path) -> None:
    mine = ticket()
    await store.acquire(mine)
    change(path, "UPDATE bidlock_meta SET modes = ',,'")
    answers = [
        await store.acquire(mine),
        await store.confirm(mine, 1),
        await store.renew(mine),
        await store.claim(mine, 1),
        await store.record(mine, MarkerState.PLACED),
        await store.mark(mine, 1),
    ]
    assert {answer.verdict for answer in answers} == {Verdict.MODE}
    assert (await store.release(mine)).ok


async def test_a_store_that_nobody_opened_is_closed_and_nothing_is_made(make, ticket, path) -> None:
    backend = await make(opened=False)
    mine = ticket()
    assert (await backend.acquire(mine)).verdict is Verdict.CLOSED
    assert (await backend.release(mine)).verdict is Verdict.LOST
    assert await backend.inspect(mine.posting) == Inspection(None, None)
    assert await backend.break_(mine.posting, by="ann", reason="") is None
    assert not (await backend.observe()).initialised
    assert not path.exists()


async def test_opening_a_self_store_twice_changes_nothing(make) -> None:
    first, second = await make(), await make()
    assert (await first.observe()).domain == (await second.observe()).domain


async def test_a_store_of_another_owner_is_left_as_it_is(store, make, path) -> None:
    change(path, "UPDATE bidlock_meta SET owner = 'policy-1'")
    assert not await store.open_self(META)
    assert (await store.observe()).owner == "policy-1"


async def test_rows_without_meta_are_left_as_they_are(make, ticket, path) -> None:
    first = await make()
    await first.mark(ticket(), 1)
    await first.close()
    change(path, "DELETE FROM bidlock_meta")
    second = await make(opened=False)
    assert not await second.open_self(META)
    assert (await second.acquire(ticket())).verdict is Verdict.CLOSED


async def test_a_managed_client_works_in_a_store_of_its_policy(make, ticket, path) -> None:
    await (await make()).close()
    change(path, "UPDATE bidlock_meta SET owner = 'policy-1'")
    managed = await make(owner="policy-1")
    assert (await managed.acquire(ticket())).ok


@pytest.mark.parametrize("name", HOSTILE)
async def test_any_text_is_an_id(store, ticket, name) -> None:
    mine, other = ticket(name, marketplace=name), ticket(name, marketplace=name)
    token = (await store.acquire(mine)).token
    assert (await store.acquire(other)).verdict is Verdict.HELD
    assert (await store.claim(mine, token)).ok
    assert (await store.release(mine)).ok
    assert (await store.acquire(other)).verdict is Verdict.DONE
    assert (await store.acquire(ticket(name + "x", marketplace=name))).ok


async def test_two_postings_with_one_original_key_exclude_each_other_and_share_nothing(store, ticket) -> None:
    mine, twin = ticket("b:c", marketplace="a"), ticket("c", marketplace="a:b")
    assert mine.posting.original_key == twin.posting.original_key
    token = (await store.acquire(mine)).token
    assert (await store.acquire(twin)).verdict is Verdict.HELD
    assert await store.inspect(twin.posting) == Inspection(None, None)
    assert await store.break_(twin.posting, by="ann", reason="") is None
    assert (await store.release(twin._replace(nonce=mine.nonce))).verdict is Verdict.LOST
    await store.claim(mine, token)
    await store.release(mine)
    assert (await store.acquire(twin)).ok
    assert (await store.inspect(mine.posting)).lease is None


async def test_what_crashed_clients_left_is_purged(store, make, ticket, path) -> None:
    for number in range(5):
        await store.acquire(ticket(f"p{number}"))
    change(path, "UPDATE distributed_locks SET expires_at = 1.5")
    other = await make()
    await other.acquire(ticket("fresh"))
    assert ask(path, "SELECT lock_key FROM distributed_locks") == [("bid:lock:upwork:fresh",)]
    assert ask(path, "SELECT key FROM bidlock_lease") == [("upwork:fresh",)]


async def test_a_store_says_what_it_is(store, path) -> None:
    seen = await store.observe()
    assert seen.initialised
    assert seen.live
    assert seen.durable
    assert (seen.owner, seen.format, seen.modes, seen.ttl_max_ms) == ("self", 1, {"sqlite"}, 3_600_000)
    assert len(seen.domain) == 32
    assert seen.details["path"] == str(path)
    assert seen.details["journal_mode"] == "wal"
    assert seen.warnings == ()


async def test_a_store_that_may_forget_warns(make) -> None:
    seen = await (await make(options="?synchronous=normal")).observe()
    assert not seen.durable
    assert "power cut" in seen.warnings[0]
