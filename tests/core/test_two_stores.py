"""A client of a migrating fleet takes the mode it is told; here the stores admit every mode."""

import asyncio
import uuid

import pytest

import bidlock
from bidlock import ConfigurationError, Placed, Skipped, SkipReason
from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta
from bidlock.errors import BackendUnavailable
from bidlock.memory import MemoryBackend
from bidlock.modes import MODES, Role
from bidlock.postings import posting


async def placed(lease):
    return lease.token


async def fleet_store():
    """URL of a store that belongs to the policy `p` and admits every mode."""
    url = f"memory://{uuid.uuid4().hex}"
    backend = MemoryBackend(BackendConfig(parse(url)))
    await backend.open_self(SelfMeta("only", 60_000, 10))
    backend.store.meta.modes, backend.store.meta.owner = frozenset(MODES), "p"
    return url


@pytest.fixture
async def environment(tmp_path):
    (tmp_path / "mode").write_text("sqlite\n")
    return {
        "BIDLOCK_POLICY": "p",
        "BIDLOCK_SQLITE_URL": await fleet_store(),
        "BIDLOCK_REDIS_URL": await fleet_store(),
        "BIDLOCK_MODE_FILE": str(tmp_path / "mode"),
        "BIDLOCK_TTL": "2",
    }


async def test_the_mode_follows_the_file_between_two_attempts(environment, tmp_path):
    async with bidlock.connect(environment=environment) as locks:
        for mode in MODES:
            (tmp_path / "new").write_text(mode)
            (tmp_path / "new").replace(tmp_path / "mode")

            assert isinstance(await locks.bid_once("upwork", mode, placed), Placed)
            assert locks.mode.name == mode


async def test_nobody_bids_twice_across_neighbouring_modes(environment):
    environment.pop("BIDLOCK_MODE_FILE")
    for first, second in [("sqlite", "dual"), ("dual", "strict"), ("strict", "primary"), ("primary", "only")]:
        posting_id = first + second
        async with bidlock.connect(environment=environment, mode=first) as locks:
            await locks.bid_once("upwork", posting_id, placed)
        async with bidlock.connect(environment=environment, mode=second) as locks:
            assert await locks.bid_once("upwork", posting_id, placed) == Skipped(SkipReason.ALREADY_BID)


async def test_a_mode_that_needs_a_store_the_client_lacks_is_skipped_with_the_reason(environment):
    environment.pop("BIDLOCK_MODE_FILE")
    environment.pop("BIDLOCK_SQLITE_URL")
    async with bidlock.connect(environment=environment, mode="strict") as locks:
        outcome = await locks.bid_once("upwork", "1", placed)

    assert outcome == Skipped(SkipReason.MODE, "mode strict needs the origin store, which this client is not configured for")


@pytest.mark.parametrize(("mode", "bids"), [("sqlite", False), ("dual", False), ("strict", True), ("primary", True), ("only", True)])
async def test_beside_original_bots_on_redis_only_modes_that_always_ask_redis_bid(environment, mode, bids):
    environment.pop("BIDLOCK_MODE_FILE")
    async with bidlock.connect(environment=environment | {"BIDLOCK_ORIGINAL_KEYS": "1"}, mode=mode) as locks:
        outcome = await locks.bid_once("upwork", "1", placed)

    assert isinstance(outcome, Placed) is bids
    assert bids or (outcome.reason, "original bots" in outcome.detail) == (SkipReason.MODE, True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"BIDLOCK_POLICY": ""}, "set BIDLOCK_POLICY"),
        ({"BIDLOCK_URL": "memory://x"}, "leave it empty"),
        ({"BIDLOCK_MODE_FILE": ""}, "the fleet's mode is not known"),
        ({"BIDLOCK_MODE_FILE": "/nowhere/mode"}, "cannot be read"),
    ],
)
async def test_a_client_that_cannot_know_its_mode_or_fleet_is_refused(environment, change, says):
    with pytest.raises(ConfigurationError, match=says):
        bidlock.connect(environment=environment | change)


async def test_a_lease_passed_on_across_a_change_of_mode_is_left_in_no_store_that_the_new_mode_does_not_ask(environment, tmp_path):
    target = MemoryBackend(BackendConfig(parse(environment["BIDLOCK_REDIS_URL"])))
    (tmp_path / "mode").write_text("strict\n")
    async with bidlock.connect(environment=environment | {"BIDLOCK_TTL": "60"}) as locks:
        async with locks.hold("upwork", "1"):
            following = asyncio.create_task(held(locks))
            await asyncio.sleep(0)
            (tmp_path / "new").write_text("sqlite")
            (tmp_path / "new").replace(tmp_path / "mode")
            assert (await target.inspect(posting("upwork", "1"))).lease
        assert await following == "sqlite"

        async with asyncio.timeout(10):
            while (await target.inspect(posting("upwork", "1"))).lease:
                await asyncio.sleep(0.01)


async def held(locks):
    """Wait for the lock; the mode in which it was got."""
    async with locks.hold("upwork", "1", timeout=30):
        return locks.mode.name


async def test_in_dual_a_dead_target_does_not_keep_the_caller(environment, monkeypatch):
    environment.pop("BIDLOCK_MODE_FILE")
    async with bidlock.connect(environment=environment, mode="dual", reach_timeout=0.2) as locks:
        dead = locks._client.stores[Role.TARGET].backend

        async def unreachable(*arguments, **named):
            raise BackendUnavailable

        for step in ("acquire", "mark", "release"):
            monkeypatch.setattr(dead, step, unreachable)
        outcome = await locks.bid_once("upwork", "1", placed)

        assert isinstance(outcome, Placed)
        assert (await locks._client.stores[Role.ORIGIN].backend.inspect(posting("upwork", "1"))).lease is None
