"""Which store a manager works in."""

import uuid

import pytest

import bidlock
from bidlock.backend import MarkerState
from bidlock.errors import ConfigurationError
from bidlock.legacy import BidLockManager, RedisBidLockManager, choosing
from bidlock.memory import STORES


@pytest.mark.parametrize(
    ("redis_url", "environment", "url"),
    [
        (None, {}, "redis://localhost:6379/0"),
        (None, {"REDIS_URL": "redis://cache-1:6379/2"}, "redis://cache-1:6379/2"),
        ("redis://mine", {"REDIS_URL": "redis://cache-1:6379/2"}, "redis://mine"),
        ("redis://mine", {"BIDLOCK_URL": "sqlite:///bids.db"}, "redis://mine"),
    ],
)
def test_the_redis_manager_goes_where_the_original_went_and_takes_its_keys(redis_url, environment, url):
    assert choosing.redis(redis_url, environment) == (url, {"original_keys": True})


def test_the_sqlite_manager_opens_the_originals_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert choosing.sqlite({}).url == "sqlite:///data/tasks.db"
    assert (tmp_path / "data").is_dir()


def test_the_sqlite_manager_follows_bidlock_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert choosing.sqlite({"BIDLOCK_URL": "redis://cache-1"}) == (None, {})
    assert not (tmp_path / "data").exists()


@pytest.fixture
async def fleet(monkeypatch):
    """A store that the policy `fleet` owns, and this process in that fleet."""
    name = uuid.uuid4().hex
    async with bidlock.connect(f"memory://{name}", environment={}, margin=0.02):
        STORES[f"{name}/bidlock"].meta.owner = "fleet"
    monkeypatch.setenv("BIDLOCK_URL", f"memory://{name}")
    monkeypatch.setenv("BIDLOCK_POLICY", "fleet")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    return name


@pytest.fixture(params=[BidLockManager, RedisBidLockManager])
async def manager(request, fleet):
    made = request.param()
    yield made
    await made.close()


async def test_in_a_fleet_the_class_does_not_choose_the_store(manager, fleet):
    await manager.acquire_lock("upwork", "~01ab")

    assert "upwork:~01ab" in STORES[f"{fleet}/bidlock"].leases


async def test_in_a_fleet_whoever_takes_the_lock_is_presumed_to_bid(manager):
    assert await manager.acquire_lock("upwork", "~01ab") is True

    async with bidlock.connect() as locks:
        assert (await locks.inspect("upwork", "~01ab")).marker.state is MarkerState.PRESUMED
        outcome = await locks.bid_once("upwork", "~01ab", never)
    assert outcome.reason is bidlock.SkipReason.ALREADY_BID


async def test_in_a_fleet_a_lock_given_back_is_not_to_be_had_again(manager):
    await manager.acquire_lock("upwork", "~01ab")
    assert await manager.release_lock("upwork", "~01ab") is True

    assert await manager.acquire_lock("upwork", "~01ab", timeout=1000) is False


async def test_in_a_fleet_a_posting_that_was_bid_on_is_refused(manager):
    async with bidlock.connect() as locks:
        await locks.bid_once("upwork", "~01ab", lambda lease: lease.token)

    assert await manager.acquire_lock("upwork", "~01ab", timeout=1000) is False


async def test_a_presumption_that_cannot_be_written_gives_the_lock_back(manager, fleet, monkeypatch):
    """Another bidder wrote its marker between our lease and our presumption (ours had run out, say)."""
    import bidlock.memory as memory
    from bidlock.backend import Answer, Verdict

    async def too_late(self, ticket, token, state):
        return Answer(Verdict.DONE)

    monkeypatch.setattr(memory.MemoryBackend, "mark", too_late)

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False
    assert STORES[f"{fleet}/bidlock"].leases == {}


async def never(lease):
    raise AssertionError("two bids")


def test_in_a_fleet_a_url_in_the_code_is_refused(fleet):
    with pytest.raises(ConfigurationError, match="belongs to policy 'fleet'"):
        RedisBidLockManager(redis_url="redis://mine")


async def test_in_a_fleet_without_a_url_there_is_no_store_to_fall_back_to(fleet, monkeypatch):
    monkeypatch.delenv("BIDLOCK_URL")

    with pytest.raises(ConfigurationError, match="no store is configured"):
        await BidLockManager().acquire_lock("upwork", "~01ab")


async def test_in_a_fleet_a_store_of_its_clients_alone_takes_no_locks(manager, fleet):
    STORES[f"{fleet}/bidlock"].meta.owner = "self"

    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False


async def test_a_missing_plugin_says_what_to_install():
    with pytest.raises(ConfigurationError, match="no backend serves postgresql://"):
        await RedisBidLockManager("postgresql://db").acquire_lock("upwork", "~01ab")


async def test_a_store_that_is_not_open_is_not_healthy(manager, fleet):
    STORES[f"{fleet}/bidlock"].meta = None

    assert await manager.health_check() is False
    assert await manager.acquire_lock("upwork", "~01ab", timeout=0) is False


async def test_while_a_fleet_migrates_every_store_that_decides_is_told(monkeypatch):
    """Mode `strict`: both stores vote, so the presumption stands in both."""
    names = [uuid.uuid4().hex for _ in range(2)]
    for name in names:
        async with bidlock.connect(f"memory://{name}", environment={}, margin=0.02):
            meta = STORES[f"{name}/bidlock"].meta
            meta.owner, meta.modes = "fleet", frozenset({"strict"})
    monkeypatch.setenv("BIDLOCK_POLICY", "fleet")
    monkeypatch.setenv("BIDLOCK_MODE", "strict")
    monkeypatch.setenv("BIDLOCK_SQLITE_URL", f"memory://{names[0]}")
    monkeypatch.setenv("BIDLOCK_REDIS_URL", f"memory://{names[1]}")
    manager = BidLockManager()

    assert await manager.acquire_lock("upwork", "~01ab") is True

    markers = [STORES[f"{name}/bidlock"].markers["upwork:~01ab"].state for name in names]
    assert markers == [MarkerState.PRESUMED, MarkerState.PRESUMED]
    await manager.close()
