"""The interface that the original bot calls, over each kind of store."""

import asyncio
import re

import pytest

import bidlock
from bidlock.errors import ConfigurationError

pytestmark = pytest.mark.slow


async def test_a_lock_is_taken_given_back_and_taken_again(managers):
    manager = managers()

    assert await manager.acquire_lock("upwork", "~01ab") is True
    assert await manager.release_lock("upwork", "~01ab") is True
    assert await manager.acquire_lock("upwork", "~01ab") is True


async def test_while_one_manager_holds_it_another_is_refused_after_the_timeout(managers):
    first, second = managers(), managers()
    await first.acquire_lock("upwork", "~01ab")

    assert await second.acquire_lock("upwork", "~01ab", timeout=0.1) is False
    assert await second.acquire_lock("upwork", "~01ac", timeout=0) is True


async def test_a_manager_excludes_itself_too(managers):
    manager = managers()
    await manager.acquire_lock("upwork", "~01ab")

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False


@pytest.mark.parametrize("same", [True, False])
async def test_a_waiter_gets_the_lock_when_it_is_given_back(managers, same):
    first = managers()
    second = first if same else managers()
    await first.acquire_lock("upwork", "~01ab")
    waiting = asyncio.ensure_future(second.acquire_lock("upwork", "~01ab", timeout=30))
    while not second.get_metrics()["lock_conflicts"]:
        await asyncio.sleep(0.01)

    await first.release_lock("upwork", "~01ab")

    assert await waiting is True


@pytest.mark.parametrize("same", [True, False])
async def test_a_lock_ends_after_its_ttl_without_anybody_renewing_it(managers, same):
    first = managers(ttl=0.3)
    second = first if same else managers()
    await first.acquire_lock("upwork", "~01ab")

    assert await second.acquire_lock("upwork", "~01ab", timeout=30) is True
    assert await first.release_lock("upwork", "~01ab", holder_id="nobody") is False


async def test_a_ttl_too_short_for_the_stores_margin_still_ends_in_time(managers, monkeypatch):
    """With the usual margin of 5 s a lease lives 15.5 s at least; the timer gives it back before."""
    monkeypatch.setenv("BIDLOCK_MARGIN", "5")
    first, second = managers(ttl=0.2), managers()
    await first.acquire_lock("upwork", "~01ab")

    assert await second.acquire_lock("upwork", "~01ab", timeout=10) is True


async def test_a_ttl_above_the_stores_longest_is_kept_by_renewal(managers, monkeypatch):
    monkeypatch.setenv("BIDLOCK_TTL_MAX", "0.4")
    first, second = managers(ttl=1.2), managers(ttl=0.3)
    loop = asyncio.get_running_loop()
    await first.acquire_lock("upwork", "~01ab")
    taken = loop.time()

    assert await second.acquire_lock("upwork", "~01ab", timeout=30) is True
    assert loop.time() - taken >= 1.1


async def test_the_ttl_attribute_counts_from_the_next_lock(managers):
    first, second = managers(), managers()
    first.ttl = 0.3
    await first.acquire_lock("upwork", "~01ab")

    assert await second.acquire_lock("upwork", "~01ab", timeout=30) is True


@pytest.mark.parametrize("ids", [("", "~01ab"), ("upwork", ""), ("", ""), (None, "~01ab"), ("upwork", None)])
async def test_an_empty_id_is_a_value_error(managers, ids):
    manager = managers()

    with pytest.raises(ValueError, match="must not be empty"):
        await manager.acquire_lock(*ids)

    assert manager.get_metrics()["lock_attempts"] == 0


async def test_ids_that_are_numbers_are_taken_as_the_original_took_them(managers):
    first, second = managers(), managers()
    await first.acquire_lock("freelancer", 38412077)

    assert await second.acquire_lock("freelancer", "38412077", timeout=0) is False
    assert await first.release_lock("freelancer", 38412077) is True


async def test_only_the_holder_gives_a_lock_back(managers):
    manager, stranger = managers(), managers()
    await manager.acquire_lock("upwork", "~01ab", holder_id="pod-1:7:0000aaaa")

    assert await manager.release_lock("upwork", "~01ab") is False
    assert await manager.release_lock("upwork", "~01ab", holder_id="pod-2:7:0000bbbb") is False
    assert await stranger.release_lock("upwork", "~01ab") is False
    assert await stranger.acquire_lock("upwork", "~01ab", timeout=0) is False
    assert await manager.release_lock("upwork", "~01ab", holder_id="pod-1:7:0000aaaa") is True


async def test_what_is_not_held_is_not_given_back(managers):
    manager = managers()

    assert await manager.release_lock("upwork", "~01ab") is False
    await manager.acquire_lock("upwork", "~01ab")
    await manager.release_lock("upwork", "~01ab")
    assert await manager.release_lock("upwork", "~01ab") is False
    assert await manager.release_lock("", "") is False


async def test_one_manager_holds_several_locks_at_once(managers):
    manager, other = managers(), managers()
    await asyncio.gather(*(manager.acquire_lock("upwork", str(number)) for number in range(1, 21)))

    await manager.release_lock("upwork", "7")

    taken = await asyncio.gather(*(other.acquire_lock("upwork", str(number), timeout=0) for number in range(1, 21)))
    assert taken == [number == 7 for number in range(1, 21)]


async def test_with_lock_holds_the_lock_around_the_block(managers):
    first, second = managers(), managers()

    async with first.with_lock("upwork", "~01ab"):
        with pytest.raises(TimeoutError, match="upwork:~01ab was not acquired within 0 s"):
            async with second.with_lock("upwork", "~01ab", timeout=0):
                raise AssertionError("two inside")

    assert await second.acquire_lock("upwork", "~01ab", timeout=0) is True


async def test_with_lock_gives_the_lock_back_when_the_block_fails(managers):
    manager = managers()

    with pytest.raises(RuntimeError, match="no bid"):
        async with manager.with_lock("upwork", "~01ab", holder_id="me"):
            raise RuntimeError("no bid")

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is True


async def test_the_metrics_have_the_original_names(managers, kind):
    first, second = managers(), managers()
    await first.acquire_lock("upwork", "~01ab")
    await second.acquire_lock("upwork", "~01ab", timeout=0)

    assert first.get_metrics() == {"lock_attempts": 1, "lock_successes": 1, "lock_conflicts": 0, "lock_timeouts": 0} | errors(kind)
    assert second.get_metrics() == {"lock_attempts": 1, "lock_successes": 0, "lock_conflicts": 1, "lock_timeouts": 1} | errors(kind)


def errors(kind):
    return {"redis_errors": 0} if kind == "redis" else {}


async def test_a_waiter_that_wins_counts_its_conflict_but_no_timeout(managers):
    first, second = managers(ttl=0.2), managers()
    await first.acquire_lock("upwork", "~01ab")
    await second.acquire_lock("upwork", "~01ab", timeout=30)

    metrics = second.get_metrics()
    assert (metrics["lock_successes"], metrics["lock_conflicts"], metrics["lock_timeouts"]) == (1, 1, 0)


async def test_cleanup_all_gives_back_every_lock_of_this_manager_and_no_other(managers):
    first, second = managers(), managers()
    await first.acquire_lock("upwork", "1")
    await first.acquire_lock("upwork", "2", holder_id="pod-2")
    await second.acquire_lock("upwork", "3")

    await first.cleanup_all()

    assert [await second.acquire_lock("upwork", number, timeout=0) for number in "123"] == [True, True, False]


async def test_a_healthy_store_says_so(managers):
    assert await managers().health_check() is True


async def test_a_lock_outlives_the_close_of_its_manager_until_its_ttl_ends(managers):
    first, second = managers(ttl=0.5), managers()
    await first.acquire_lock("upwork", "~01ab")

    await first.close()

    assert await second.acquire_lock("upwork", "~01ab", timeout=0) is False
    assert await second.acquire_lock("upwork", "~01ab", timeout=30) is True


async def test_a_closed_manager_connects_again(managers):
    manager = managers()
    await manager.acquire_lock("upwork", "1")
    await manager.close()

    assert await manager.acquire_lock("upwork", "2") is True


async def test_the_holder_is_host_pid_and_eight_hex_digits(managers):
    assert re.fullmatch(r".+:\d+:[0-9a-f]{8}", managers().holder_id)


async def test_a_posting_that_was_bid_on_is_refused_at_once(managers, kind):
    manager = managers()
    await manager.health_check()
    async with connected(kind) as locks:
        await locks.bid_once("upwork", "~01ab", place)

    assert await manager.acquire_lock("upwork", "~01ab", timeout=1000) is False
    assert manager.get_metrics()["lock_timeouts"] == 0


async def test_in_a_store_of_its_own_a_lock_given_back_leaves_no_mark(managers, kind):
    manager = managers()
    await manager.acquire_lock("upwork", "~01ab")
    async with connected(kind) as locks:
        assert isinstance(await locks.bid_once("upwork", "~01ab", place), bidlock.Skipped)
        await manager.release_lock("upwork", "~01ab")
        assert isinstance(await locks.bid_once("upwork", "~01ab", place), bidlock.Placed)


async def test_a_ttl_of_nothing_is_refused(managers):
    with pytest.raises(ConfigurationError, match="more than 0 seconds"):
        await managers(ttl=0).acquire_lock("upwork", "~01ab")


async def place(lease):
    return lease.token


def connected(kind):
    import os

    return bidlock.connect(os.environ["REDIS_URL" if kind == "redis" else "BIDLOCK_URL"], original_keys=kind == "redis")


def test_one_manager_serves_one_event_loop_after_the_other(tmp_path, monkeypatch):
    from bidlock.legacy import BidLockManager

    monkeypatch.setenv("BIDLOCK_URL", f"sqlite:///{tmp_path}/tasks.db")
    manager = BidLockManager()

    async def take(posting):
        taken = await manager.acquire_lock("upwork", posting, timeout=0)
        await manager.close()
        return taken

    assert [asyncio.run(take(posting)) for posting in ("1", "1", "2")] == [True, False, True]
