"""An original bot and bidlock in the same SQLite file: its algorithm as it runs today, written down with plain sqlite3."""

import asyncio
import sqlite3
import time
import uuid

import pytest

import bidlock
from bidlock.legacy import BidLockManager

TABLE = """
CREATE TABLE distributed_locks (
    id VARCHAR NOT NULL, lock_key VARCHAR NOT NULL, holder_id VARCHAR NOT NULL,
    acquired_at FLOAT, expires_at FLOAT, created_at DATETIME,
    PRIMARY KEY (id), UNIQUE (lock_key)
)
"""


class Original:
    """The original bot's way with the table."""

    def __init__(self, file, ttl=300.0):
        self.holder = f"old-bot:1:{uuid.uuid4().hex[:8]}"
        self._file = file
        self._ttl = ttl

    def create(self):
        with self._connection() as connection:
            connection.execute(TABLE)

    def acquire(self, marketplace, posting):
        now = time.time()
        with self._connection() as connection:
            connection.execute("DELETE FROM distributed_locks WHERE expires_at < ?", (now,))
        row = (str(uuid.uuid4()), f"bid:lock:{marketplace}:{posting}", self.holder, now, now + self._ttl)
        try:
            with self._connection() as connection:
                connection.execute("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, CURRENT_TIMESTAMP)", row)
        except sqlite3.IntegrityError:
            return False
        return True

    def release(self, marketplace, posting):
        with self._connection() as connection:
            key = f"bid:lock:{marketplace}:{posting}"
            return (
                connection.execute("DELETE FROM distributed_locks WHERE lock_key = ? AND holder_id = ?", (key, self.holder)).rowcount == 1
            )

    def _connection(self):
        return Committing(self._file)


class Committing:
    """A connection for one transaction; sqlite3's own context manager would leave it open."""

    def __init__(self, file):
        self._connection = sqlite3.connect(file, timeout=30)

    def __enter__(self):
        return self._connection.__enter__()

    def __exit__(self, *raised):
        self._connection.__exit__(*raised)
        self._connection.close()


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDLOCK_URL", f"sqlite:///{tmp_path}/tasks.db")
    return tmp_path / "tasks.db"


@pytest.fixture(params=["the original was first", "bidlock was first"])
async def both(request, file):
    """An original bot and a manager, whoever created the file."""
    original, manager = Original(file), BidLockManager()
    if request.param == "the original was first":
        original.create()
    assert await manager.health_check()
    yield original, manager
    await manager.close()


async def test_a_lock_of_the_original_excludes_the_manager(both):
    original, manager = both
    assert original.acquire("upwork", "~01ab")

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False
    assert original.release("upwork", "~01ab")
    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is True


async def test_a_lock_of_the_manager_excludes_the_original(both):
    original, manager = both
    assert await manager.acquire_lock("upwork", "~01ab")

    assert not original.acquire("upwork", "~01ab")
    assert not original.release("upwork", "~01ab")
    assert await manager.release_lock("upwork", "~01ab")
    assert original.acquire("upwork", "~01ab")


async def test_a_lock_of_the_original_excludes_a_bid(both):
    original, _ = both
    assert original.acquire("upwork", "~01ab")

    async with bidlock.connect() as locks:
        assert await locks.bid_once("upwork", "~01ab", never) == bidlock.Skipped(bidlock.SkipReason.HELD)


async def never(lease):
    raise AssertionError("two bids")


async def test_a_lock_of_the_original_that_ran_out_is_free(file):
    original, manager = Original(file, ttl=-1), BidLockManager()
    original.create()
    assert original.acquire("upwork", "~01ab")

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is True
    await manager.close()


async def test_a_lock_of_the_manager_that_ran_out_is_free_for_the_original(both):
    original, manager = both
    manager.ttl = 0.2
    await manager.acquire_lock("upwork", "~01ab")

    while not original.acquire("upwork", "~01ab"):
        await asyncio.sleep(0.02)
    assert await manager.release_lock("upwork", "~01ab") is False
    assert original.release("upwork", "~01ab")


async def test_both_at_once_never_win_together(both):
    original, manager = both
    for number in range(50):
        old, new = await asyncio.gather(
            asyncio.to_thread(original.acquire, "upwork", number), manager.acquire_lock("upwork", str(number), timeout=0)
        )
        assert old + new == 1


@pytest.mark.parametrize("posting", ["~01ab", "gig/logo-design:basic", "日本 語", "a%b{c}"])
async def test_both_mean_the_same_posting_by_the_same_id(both, posting):
    original, manager = both
    await manager.acquire_lock("fiverr", posting)

    assert not original.acquire("fiverr", posting)
