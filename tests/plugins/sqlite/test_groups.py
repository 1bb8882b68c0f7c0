"""Group commit: one durable transaction for everybody who waits, and nobody suffers for another."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bidlock.backend import Verdict
from bidlock.errors import BackendAmbiguous, BackendUnavailable


async def test_all_that_wait_share_one_transaction(store, ticket) -> None:
    before = store.writer.commits.transactions
    answers = await asyncio.gather(*(store.acquire(ticket(f"p{number}")) for number in range(500)))
    assert store.writer.commits.transactions - before == 1
    assert sorted(answer.token for answer in answers) == list(range(answers[0].token, answers[0].token + 500))


async def test_operations_of_one_batch_see_each_other_in_order(store, ticket) -> None:
    mine, other = ticket(), ticket()
    answers = await asyncio.gather(
        store.acquire(mine), store.acquire(other), store.renew(mine), store.release(mine), store.acquire(other), store.claim(other, 2)
    )
    verdicts = [answer.verdict for answer in answers]
    assert verdicts == [Verdict.OK, Verdict.HELD, Verdict.OK, Verdict.OK, Verdict.OK, Verdict.OK]


async def test_an_operation_that_fails_harms_no_other(store, ticket, path) -> None:
    """The token of the second is no 64-bit integer; the third meets a trigger after its first write."""
    good, huge, bad, last = ticket("good"), ticket("huge"), ticket("bad"), ticket("last")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON bidlock_lease WHEN NEW.key = 'upwork:bad' BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    results = await asyncio.gather(
        store.acquire(good), store.mark(huge, 1 << 70), store.acquire(bad), store.acquire(last), return_exceptions=True
    )
    assert results[0].ok
    assert isinstance(results[1], OverflowError)
    assert isinstance(results[2], BackendUnavailable)
    assert "not this one" in str(results[2])
    assert results[3].ok
    with closing(sqlite3.connect(path)) as connection:
        leased = {key for (key,) in connection.execute("SELECT lock_key FROM distributed_locks")}
    assert leased == {"bid:lock:upwork:good", "bid:lock:upwork:last"}
    assert (await store.renew(good)).ok


async def test_a_cancelled_caller_disturbs_nobody_and_its_lease_can_be_released(store, ticket) -> None:
    mine, other = ticket("mine"), ticket("other")
    cancelled = asyncio.create_task(store.acquire(mine))
    kept = asyncio.create_task(store.acquire(other))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert (await kept).ok
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await store.release(mine)).ok


async def test_a_failed_commit_is_ambiguous_for_everybody(store, ticket, monkeypatch) -> None:
    """The one thing no real disk does on demand: COMMIT is done, and its answer never comes."""
    file = store.writer.commits.database.connect()

    def lost() -> None:
        file.cursor.execute("COMMIT")
        raise sqlite3.OperationalError("the answer is lost")

    monkeypatch.setattr(file, "commit", lost)
    mine, other = ticket("mine"), ticket("other")
    results = await asyncio.gather(store.acquire(mine), store.acquire(other), return_exceptions=True)
    assert [type(result) for result in results] == [BackendAmbiguous, BackendAmbiguous]
    assert (await store.release(mine)).ok


async def test_a_disk_that_is_full_at_commit_undoes_everything_for_certain(store, ticket, monkeypatch) -> None:
    """The error is SQLite's own; only its moment is chosen."""
    file, mine = store.writer.commits.database.connect(), ticket()

    def commit() -> None:
        raise disk_full()

    monkeypatch.setattr(file, "commit", commit)
    with pytest.raises(BackendUnavailable, match="nothing was changed"):
        await store.acquire(mine)
    monkeypatch.undo()
    assert (await store.inspect(mine.posting)).lease is None
    assert (await store.acquire(mine)).ok


def disk_full() -> sqlite3.Error:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as caught:
            connection.execute("CREATE TABLE t (x)")
    return caught.value


async def test_a_stranger_who_keeps_the_file_locked_is_busy_and_reads_go_on(make, ticket, path) -> None:
    store = await make(options="?busy_timeout=0.05")
    mine = ticket()
    await store.acquire(mine)
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(store.acquire(ticket("other")), store.renew(mine), store.release(mine))
        assert {answer.verdict for answer in answers} == {Verdict.BUSY}
        assert (await store.inspect(mine.posting)).lease.nonce == mine.nonce
        with pytest.raises(BackendUnavailable, match="kept locked"):
            await store.break_(mine.posting, by="ann", reason="")
        stranger.execute("ROLLBACK")
    assert (await store.renew(mine)).ok


async def test_whoever_waits_for_a_stranger_goes_on_when_it_is_done(make, ticket, path) -> None:
    store = await make(options="?busy_timeout=60")
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.acquire(ticket()))
        while not store.writer.commits.refused:
            await asyncio.sleep(0.001)
        stranger.execute("COMMIT")
        assert (await waiting).ok


async def test_closing_serves_what_is_queued_and_may_be_repeated(make, ticket) -> None:
    store = await make()
    queued = [asyncio.create_task(store.acquire(ticket(f"p{number}"))) for number in range(5)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    assert all([(await answer).ok for answer in queued])
    await store.close()


async def test_many_clients_that_make_the_file_at_one_moment_share_one_store(make) -> None:
    stores = await asyncio.gather(*(make(options="?busy_timeout=60") for _ in range(16)))
    assert len({(await store.observe()).domain for store in stores}) == 1
