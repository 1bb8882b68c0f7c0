"""An original bot and bidlock in the same Redis: its algorithm as it runs today, written down with plain redis-py."""

import asyncio
import uuid

import pytest
import redis

import bidlock
from bidlock.legacy import RedisBidLockManager

pytestmark = pytest.mark.servers


class Original:
    """The original bot's way with its key."""

    def __init__(self, url, ttl=300):
        self.holder = f"old-bot:1:{uuid.uuid4().hex[:8]}"
        self._redis = redis.Redis.from_url(url, decode_responses=True)
        self._ttl = ttl

    def acquire(self, marketplace, posting):
        return bool(self._redis.set(f"bid_lock:{marketplace}:{posting}", self.holder, nx=True, ex=self._ttl))

    def release(self, marketplace, posting):
        key = f"bid_lock:{marketplace}:{posting}"
        if self._redis.get(key) != self.holder:
            return False
        return self._redis.delete(key) == 1

    def close(self):
        self._redis.close()


@pytest.fixture
async def both(redis_server, monkeypatch):
    """An original bot and a manager in one empty Redis."""
    redis_server.flush()
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    original, manager = Original(redis_server.url), RedisBidLockManager()
    yield original, manager
    await manager.close()
    original.close()


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


async def test_a_lock_of_the_original_excludes_a_bid_of_a_client_that_takes_its_key(both, redis_server):
    original, _ = both
    assert original.acquire("upwork", "~01ab")

    async with bidlock.connect(redis_server.url, original_keys=True) as locks:
        assert await locks.bid_once("upwork", "~01ab", never) == bidlock.Skipped(bidlock.SkipReason.HELD)


async def never(lease):
    raise AssertionError("two bids")


async def test_a_lock_of_the_original_that_ran_out_is_free(both, redis_server):
    _, manager = both
    brief = Original(redis_server.url, ttl=1)
    assert brief.acquire("upwork", "~01ab")

    assert await manager.acquire_lock("upwork", "~01ab", timeout=30) is True
    brief.close()


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


async def test_a_server_that_is_gone_is_a_refusal_and_counted_not_an_exception(both, redis_server, monkeypatch):
    monkeypatch.setenv("BIDLOCK_REACH_TIMEOUT", "0.2")
    manager = RedisBidLockManager()
    assert await manager.health_check() is True
    redis_server.kill()

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False
    assert await manager.health_check() is False
    assert manager.get_metrics()["redis_errors"] == 2
    redis_server.launch()
    assert await manager.acquire_lock("upwork", "~01ab") is True
    await manager.close()
