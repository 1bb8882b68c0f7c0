import asyncio
import time

import pytest

import bidlock
from bidlock import ConfigurationError, LeaseLost, NotAcquired, SkipReason


async def test_a_held_lock_is_free_after_the_block(locks, rival):
    async with locks.hold("upwork", "1"):
        assert await rival.try_hold("upwork", "1") is None

    assert await rival.try_hold("upwork", "1") is not None


async def test_a_bare_lock_may_be_taken_again_and_again(locks):
    tokens = []
    for _ in range(3):
        async with locks.hold("upwork", "1") as lease:
            tokens.append(lease.token)

    assert tokens == sorted(set(tokens))


async def test_hold_says_why_it_did_not_acquire(locks, rival):
    async with rival.hold("upwork", "1"):
        with pytest.raises(NotAcquired, match="upwork:1 was not acquired within 0 s: held") as lost:
            async with locks.hold("upwork", "1", timeout=0):
                pass

    assert lost.value.reason is SkipReason.HELD


async def test_the_error_of_the_block_comes_through(locks):
    with pytest.raises(ZeroDivisionError):
        async with locks.hold("upwork", "1"):
            raise ZeroDivisionError

    assert (await locks.inspect("upwork", "1")).lease is None


async def test_a_hundred_callers_of_one_process_hold_one_after_the_other(locks):
    inside = most = 0

    async def work():
        nonlocal inside, most
        async with locks.hold("upwork", "1") as lease:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return lease.token

    tokens = await asyncio.gather(*(work() for _ in range(100)))

    assert most == 1
    assert tokens == sorted(set(tokens))
    assert (await locks.inspect("upwork", "1")).lease is None


async def test_a_caller_that_gives_up_in_line_leaves_the_lock_to_the_next(locks):
    async with locks.hold("upwork", "1"):
        waiting = [asyncio.create_task(_held(locks)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[2].cancel()

    assert await waiting[1]
    assert (await locks.inspect("upwork", "1")).lease is None


async def _held(locks):
    async with locks.hold("upwork", "1"):
        return True


async def test_a_lease_lives_as_long_as_it_is_held(locks, rival, recorder):
    async with locks.hold("upwork", "1", ttl=0.15) as lease:
        first = lease.deadline
        while recorder.kinds().count("Renewed") < 3:
            await asyncio.sleep(0.01)

        assert lease.deadline > first
        assert await rival.try_hold("upwork", "1") is None


async def test_renewal_ends_after_max_hold_and_the_lease_is_lost_before_anybody_else_can_win(locks, rival, recorder):
    async with locks.hold("upwork", "1", ttl=0.15, max_hold=0) as lease:
        async with asyncio.timeout(5):
            await lease.lost.wait()
        assert (await locks.inspect("upwork", "1")).lease is not None

        with pytest.raises(LeaseLost):
            lease.check()
    assert "Lost" in recorder.kinds()


async def test_an_evicted_holder_learns_that_its_lease_is_lost(locks, rival, recorder):
    async with locks.hold("upwork", "1", ttl=0.15) as lease:
        broken = await rival.break_lock("upwork", "1", by="ann", reason="stuck")
        async with asyncio.timeout(5):
            await lease.lost.wait()

    assert broken.token == lease.token
    assert [event.reason for event in recorder.events if type(event).__name__ == "Lost"] == ["lost"]


@pytest.mark.parametrize(("by", "reason"), [("", "stuck"), ("ann", " ")])
async def test_breaking_a_lock_needs_a_name_and_a_reason(locks, by, reason):
    with pytest.raises(ConfigurationError, match="audited"):
        await locks.break_lock("upwork", "1", by=by, reason=reason)


@pytest.mark.parametrize(
    ("ttl", "says"),
    [
        (0, "ttl must be more than 0"),
        (-3, "ttl must be more than 0"),
        (1e-9, "ttl must be more than 0"),
        (float("nan"), "ttl must be more than 0"),
        (float("inf"), "less than for ever"),
        ("300", "not '300'"),
        (0.01, "is too short: this store's safety margin"),
        (10**6, "above this store's longest TTL"),
    ],
)
async def test_an_absurd_ttl_is_refused_with_the_bounds(locks, ttl, says):
    with pytest.raises(ConfigurationError, match=says):
        await locks.try_hold("upwork", "1", ttl=ttl)


@pytest.mark.parametrize("name", ["timeout", "max_hold"])
@pytest.mark.parametrize("value", [-1, float("nan"), "soon"])
async def test_a_wait_or_a_longest_hold_that_is_no_time_is_refused(locks, name, value):
    with pytest.raises(ConfigurationError, match=f"{name} must be 0 seconds or more"):
        locks.hold("upwork", "1", **{name: value})


async def test_who_may_wait_for_ever_may_say_so(locks):
    async with locks.hold("upwork", "1", timeout=float("inf"), max_hold=float("inf")) as lease:
        assert lease.token


async def test_a_lease_is_not_believed_after_the_process_slept_past_its_deadline(locks):
    lease = await locks.try_hold("upwork", "1", ttl=0.1)
    time.sleep(0.12)  # noqa: ASYNC251 — the process is paused as a whole: no timer could run

    with pytest.raises(LeaseLost):
        lease.check()


async def test_releasing_twice_is_harmless(locks):
    lease = await locks.try_hold("upwork", "1")

    assert await lease.release()
    assert not await lease.release()


async def test_a_client_of_a_policy_never_opens_a_store(url):
    async with bidlock.connect(environment={"BIDLOCK_POLICY": "p1", "BIDLOCK_URL": url}) as managed:
        with pytest.raises(NotAcquired) as lost:
            async with managed.hold("upwork", "1", timeout=0):
                pass

    assert lost.value.reason is SkipReason.CLOSED


@pytest.fixture
def stopped_in_acquire(locks, monkeypatch):
    """As if the process were stopped between an acquire and its answer, for longer than the TTL."""
    backend = next(iter(locks._client.stores.values())).backend
    acquire = backend.acquire

    async def slow(*arguments, **options):
        answer = await acquire(*arguments, **options)
        time.sleep(0.65)  # noqa: ASYNC251 # nothing of the process runs meanwhile
        return answer

    monkeypatch.setattr(backend, "acquire", slow)


@pytest.mark.usefixtures("stopped_in_acquire")
async def test_a_lock_whose_answer_comes_after_its_deadline_was_not_acquired(locks, rival):
    with pytest.raises(NotAcquired) as late:
        async with locks.hold("upwork", "1", timeout=0):
            pass

    assert late.value.reason is SkipReason.LOST
    assert await rival.try_hold("upwork", "1") is not None


@pytest.mark.usefixtures("stopped_in_acquire")
async def test_nobody_bids_under_an_answer_that_comes_after_the_deadline(locks):
    assert (await locks.bid_once("upwork", "1", None)).reason is SkipReason.LOST
    assert (await locks.inspect("upwork", "1")).marker is None


async def test_a_renewal_that_breaks_is_a_lost_lease_in_time(locks, recorder, monkeypatch):
    store = next(iter(locks._client.stores.values())).backend.store
    async with locks.hold("upwork", "1") as lease:
        monkeypatch.setattr(store.meta, "ttl_max_ms", 1)  # every renewal is refused as a mistake of configuration
        await asyncio.wait_for(lease.lost.wait(), 0.6)

        assert lease.remaining > 0
    assert "Lost" in recorder.kinds()
