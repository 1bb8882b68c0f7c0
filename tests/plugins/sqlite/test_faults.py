"""What goes wrong with files: each a typed error that says what to do, and nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bidlock.backend import SelfMeta, Verdict
from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock_sqlite import database

META = SelfMeta("sqlite", ttl_max_ms=3_600_000, margin_ms=5_000)
PROGRAMS = Path(__file__).parent / "programs"


async def test_a_file_of_another_kind_is_refused(make, path) -> None:
    path.write_text("postings, one per line\n" * 100)
    with pytest.raises(ConfigurationError, match="is not a SQLite database; name another file"):
        await make()
    assert path.read_text().startswith("postings")


async def test_a_missing_directory_is_named(make, path) -> None:
    path.parent.rmdir()
    with pytest.raises(ConfigurationError, match="does not exist; create it first"):
        await make()


async def test_a_directory_is_no_file(make, path) -> None:
    path.mkdir()
    with pytest.raises(ConfigurationError, match="is a directory"):
        await make()


async def test_a_table_that_only_looks_like_the_original_bots_is_refused(make, path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE distributed_locks (lock_key TEXT UNIQUE, holder TEXT)")
    with pytest.raises(BackendUnavailable, match="lacks acquired_at, created_at, expires_at, holder_id, id"):
        await make()


async def test_a_network_file_system_is_refused(make, path, monkeypatch) -> None:
    monkeypatch.setattr("bidlock_sqlite.filesystems.mount_table", lambda: f"server:/x {path.parent} nfs4 rw 0 0")
    with pytest.raises(ConfigurationError, match="NFS"):
        await make()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that another user reaches; pytest's own are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "inner"


@pytest.mark.parametrize("locked", ["file", "directory"])
def test_what_cannot_be_written_is_refused(public, locked) -> None:
    """As an ordinary user: root may write everywhere."""
    public.mkdir()
    path = public / "bids.db"
    path.touch()
    public.chmod(0o777)
    path.chmod(0o666)
    (path if locked == "file" else public).chmod(0o555)
    program = f"""
import asyncio, os
from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.errors import ConfigurationError
from bidlock_sqlite.backend import SqliteBackend
async def main():
    if os.getuid() == 0:
        os.setuid(65534)
    store = SqliteBackend(BackendConfig(parse("sqlite:///{path}")))
    try:
        await store.open()
    except ConfigurationError as error:
        print(error)
    await store.close()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    public.chmod(0o755)
    assert "cannot be written" in done.stdout
    assert "check its rights" in done.stdout


async def test_a_damaged_file_is_told_and_not_written(store, ticket, path) -> None:
    for number in range(500):
        await store.mark(ticket(f"p{number}"), 1)
    await store.close()
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    with pytest.raises(BackendUnavailable, match="is damaged; stop the bots"):
        await store.acquire(ticket("p1"))


def test_a_file_that_cannot_grow_loses_nothing_that_was_claimed(path) -> None:
    done = subprocess.run([sys.executable, PROGRAMS / "full.py", path], capture_output=True, text=True, check=True)
    *claimed, error, again = done.stdout.split()
    assert error in {"BackendUnavailable", "BackendAmbiguous"}
    with closing(sqlite3.connect(path)) as connection:
        kept = {key for (key,) in connection.execute("SELECT key FROM bidlock_marker")}
    assert kept == {f"upwork:{name}" for name in [*claimed, again]}


async def test_a_full_disk_is_certain_and_told(store, ticket) -> None:
    """SQLite's own limit answers like the disk: SQLITE_FULL."""
    cursor = store.writer.commits.database.connect().cursor
    (pages,) = cursor.execute("PRAGMA page_count").fetchone()
    cursor.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    kept = []

    async def mark_on() -> None:
        while True:
            kept.append(ticket(f"p{len(kept)}"))
            await store.mark(kept[-1], 1)

    with pytest.raises(BackendUnavailable, match="full disk; make room"):
        await mark_on()
    mine = kept.pop()
    assert (await store.inspect(mine.posting)).marker is None
    cursor.execute("PRAGMA max_page_count = 1000000").fetchone()
    assert (await store.mark(mine, 1)).ok
    assert all([(await store.inspect(one.posting)).marker for one in kept])


@pytest.mark.parametrize(
    "what", ["deleted", "replaced", "log deleted", "index deleted", "older copy in place", "another store in place", "wiped in place"]
)
async def test_a_self_store_that_is_not_the_same_any_more_is_not_used_until_the_process_ends(make, ticket, path, tmp_path, what) -> None:
    store = await make()
    copy, mine = tmp_path / "copy.db", ticket()
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    await store.acquire(mine)
    await store.claim(mine, 1)
    damage(what, path, copy)
    with pytest.raises(BackendUnavailable, match=r"postings that were bid on may be missing .* restart this process"):
        await store.acquire(ticket())
    for attempt in (store.open_self(META), store.acquire(ticket()), store.inspect(mine.posting), (make())):
        with pytest.raises(BackendUnavailable, match="restart this process"):
            await attempt
    database._vanished.clear()


def damage(what: str, path: Path, copy: Path) -> None:
    if what == "deleted":
        path.unlink()
    elif what == "replaced":
        shutil.copy(copy, f"{path}.new")
        Path(f"{path}.new").rename(path)
    elif what == "log deleted":
        Path(f"{path}-wal").unlink()
    elif what == "index deleted":
        Path(f"{path}-shm").unlink()
    else:
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(path)) as target:
            if what == "another store in place":
                source.execute("UPDATE bidlock_meta SET domain_id = 'other'")
            if what == "wiped in place":
                source.execute("DELETE FROM bidlock_meta")
            source.commit()
            source.backup(target)


async def test_a_file_of_two_names_is_refused(make, path) -> None:
    await (await make()).close()
    path.with_name("other.db").hardlink_to(path)

    with pytest.raises(ConfigurationError, match="2 names"):
        await make()


async def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(make, path, monkeypatch) -> None:
    await (await make()).close()
    copy, connect = path.with_name("copy.db"), sqlite3.connect
    shutil.copy(path, copy)

    def connect_and_replace(*arguments, **options):
        connection = connect(*arguments, **options)
        if copy.exists():
            copy.rename(path)
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_and_replace)
    with pytest.raises(BackendUnavailable, match="replaced while it was opened"):
        await make()


async def test_a_self_store_that_vanished_before_it_was_used_is_simply_empty(make, path, ticket) -> None:
    first = await make(opened=False)
    assert (await first.acquire(ticket())).verdict is Verdict.CLOSED
    assert await first.open_self(META)


async def test_a_managed_client_never_makes_a_file(make, path) -> None:
    with pytest.raises(BackendUnavailable, match="only the operator"):
        await make(owner="policy-1")
    assert not path.exists()


@pytest.fixture
async def managed(make, path, ticket):
    """A managed client that worked in its store; the counter stands at 10."""
    await (await make()).close()
    change(path, "UPDATE bidlock_meta SET owner = 'policy-1', ctr = 9")
    backend = await make(owner="policy-1")
    assert (await backend.acquire(ticket("before"))).ok
    return backend


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def unlink_log(path: Path) -> None:
    for leftover in ("-wal", "-shm"):
        Path(f"{path}{leftover}").unlink(missing_ok=True)


async def swap(backend, path: Path, ticket, statement: str) -> None:
    """Put a changed copy in the file's place; the client notices with its next attempt."""
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    change(copy, statement)
    copy.rename(path)
    with pytest.raises(BackendUnavailable, match="deleted or replaced"):
        await backend.acquire(ticket())
    unlink_log(path)


async def test_a_managed_client_goes_on_when_its_store_is_back(managed, path, ticket) -> None:
    await swap(managed, path, ticket, "UPDATE bidlock_meta SET ctr = 10")
    assert (await managed.acquire(ticket("before"))).verdict is Verdict.HELD
    assert (await managed.acquire(ticket())).ok


async def test_a_managed_client_refuses_an_older_copy(managed, path, ticket) -> None:
    await swap(managed, path, ticket, "UPDATE bidlock_meta SET ctr = 9")
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match="older copy"):
            await managed.acquire(ticket())


async def test_a_managed_client_keeps_to_the_store_it_began_with_unless_it_is_told_another(managed, path, ticket) -> None:
    await swap(managed, path, ticket, "UPDATE bidlock_meta SET domain_id = 'other', ctr = 1")
    assert (await managed.acquire(ticket())).verdict is Verdict.DOMAIN
    assert (await managed.acquire(ticket(domain="other"))).ok
    assert (await managed.acquire(ticket("more", domain="other"))).ok


async def test_a_managed_client_finds_a_wiped_store_closed(managed, path, ticket) -> None:
    await swap(managed, path, ticket, "DELETE FROM bidlock_meta")
    assert (await managed.acquire(ticket())).verdict is Verdict.CLOSED
