"""Walks on a server that is killed, wiped, sealed and restarted."""

from __future__ import annotations

import asyncio

import pytest

import bidlock
from bidlock import Placed, SkipReason
from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration import Wish, actions
from bidlock.migration.acting import Stores
from bidlock.migration.controller import Controller
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.testing.servers import start

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def buckets():
    return 2


@pytest.fixture
def server(tmp_path):
    with start(directory=tmp_path / "server") as server:
        yield server


@pytest.fixture
def target_url(server):
    return server.url


@pytest.fixture
def bidder(file, origin_url, target_url):
    """A client of the fleet, in the mode the fleet is in."""

    def connect():
        environment = {
            "BIDLOCK_POLICY": file.read().owner,
            "BIDLOCK_SQLITE_URL": origin_url,
            "BIDLOCK_REDIS_URL": target_url,
            "BIDLOCK_MODE_FILE": str(file.path.with_suffix(".mode")),
            "BIDLOCK_BUCKETS": "2",
            "BIDLOCK_TTL": "0.2",
        }
        return bidlock.connect(environment=environment)

    return connect


async def placed(lease):
    return lease.token


def kinds(done):
    return [type(action) for action in done if not isinstance(action, actions.Wait | actions.Record)]


async def test_a_killed_server_is_open_again_after_three_writes_for_each_bucket(walk, server, bidder):
    await walk("only")
    async with bidder() as locks:
        first = [await locks.bid_once("upwork", str(number), placed) for number in range(8)]
        server.kill()
        await asyncio.to_thread(server.restart)

        done = await walk("only")

        assert kinds(done) == [actions.Plant, actions.Incarnate, actions.Bless] * 2 + [actions.Noop]
        again = [await locks.bid_once("upwork", str(number), placed, timeout=5) for number in range(16)]
    assert [outcome.reason for outcome in again[:8]] == [SkipReason.ALREADY_BID] * 8
    assert max(each.token for each in first) < min(each.token for each in again[8:])


async def test_a_wiped_server_that_held_the_only_markers_halts_until_each_loss_is_accepted(walk, server, bidder):
    await walk("only")
    server.flush()
    halted = (await walk("only"))[-1]
    assert (type(halted), halted.reason, halted.bucket) == (actions.Halt, "AuthorityLost", 0)
    halted_next = (await walk("only", accepted=frozenset({halted.nonce})))[-1]
    assert (halted_next.reason, halted_next.bucket) == ("AuthorityLost", 1)

    done = await walk("only", accepted=frozenset({halted.nonce, halted_next.nonce}))

    assert isinstance(done[-1], actions.Noop)
    async with bidder() as locks:
        old = await locks.bid_once("upwork", "old", placed, posted_at=1_700_000_000)
        assert old.reason is SkipReason.WATERMARK
        assert isinstance(await locks.bid_once("upwork", "new", placed, posted_at=4_000_000_000), Placed)


async def test_a_wiped_server_without_the_authority_comes_back_by_itself_and_is_filled_later(walk, server, bidder):
    await walk("strict")
    async with bidder() as locks:
        await locks.bid_once("upwork", "1", placed)
        server.flush()
        assert isinstance((await walk("strict"))[-1], actions.Noop)
    await walk("only")
    async with bidder() as locks:
        assert (await locks.bid_once("upwork", "1", placed)).reason is SkipReason.ALREADY_BID


async def test_a_sealed_server_that_forgets_at_every_crash_is_restarted_without_a_loss(walk, server, controller, bidder):
    server.command("CONFIG", "SET", "appendfsync", "everysec")
    await walk("only", accept_not_durable=True)
    async with bidder() as locks:
        await locks.bid_once("upwork", "1", placed)
    wish = Wish("only", sealed=frozenset({0, 1}), accept_not_durable=True)
    async with asyncio.timeout(20):
        while getattr((await controller.step(wish)).action, "reason", "") != "Sealed":
            pass
    # One bucket's seal is waited for after the other's: see that both stand.
    assert {server.command("HGET", f"{{bidlock:{bucket}}}:meta", "modes") for bucket in (0, 1)} == {""}
    await asyncio.to_thread(server.restart)

    done = await walk("only", accept_not_durable=True)

    assert isinstance(done[-1], actions.Noop)
    async with bidder() as locks:
        assert (await locks.bid_once("upwork", "1", placed)).reason is SkipReason.ALREADY_BID
        assert isinstance(await locks.bid_once("upwork", "2", placed), Placed)


@pytest.fixture
async def walk_elsewhere(file, stores, tmp_path):
    """The same controller, when another server answers at the target's address."""
    with start(directory=tmp_path / "elsewhere") as other:
        target = RedisTarget(BackendConfig(parse(other.url), buckets=2))
        await target.open()
        controller = Controller(file, Stores(stores.origin, target), ttl_max_ms=200, margin_ms=10)

        async def to(mode, **wishes):
            steps = []
            await controller.walk(Wish(mode, **wishes), lambda step: steps.append(step.action))
            return steps

        yield to
        await target.close()


async def test_a_server_that_another_followed_is_closed_before_it_is_admitted_again(walk, walk_elsewhere):
    await walk("strict")
    await walk_elsewhere("strict")

    done = await walk("strict")

    assert kinds(done) == [actions.Close, actions.Close, actions.Plant, actions.Incarnate, actions.Bless] * 2 + [actions.Noop]
    assert not any(action.kept for action in done if isinstance(action, actions.Bless))


async def test_a_server_that_another_with_the_authority_followed_is_closed_and_halts(walk, walk_elsewhere, server):
    await walk("strict")
    await walk_elsewhere("only")

    halted = (await walk("only"))[-1]

    assert (type(halted), halted.reason) == (actions.Halt, "AuthorityLost")
    assert {server.command("HGET", f"{{bidlock:{bucket}}}:meta", "modes") for bucket in (0, 1)} == {""}
    assert isinstance((await walk_elsewhere("only"))[-1], actions.Noop)


async def test_a_server_that_is_gone_ends_no_walk_back_that_does_not_need_it(walk, server):
    await walk("dual")
    server.kill()
    assert isinstance((await walk("sqlite"))[-1], actions.Noop)


async def test_a_fleet_that_began_on_redis_keeps_its_markers(walk, target_url, bidder):
    async with bidlock.connect(target_url, environment={}, buckets=2, ttl=0.6, ttl_max=0.6, margin=0.02) as locks:
        first = [await locks.bid_once("upwork", str(number), placed) for number in range(8)]
    assert all(isinstance(outcome, Placed) for outcome in first)
    for mode in ("sqlite", "only"):
        await walk(mode)
        async with bidder() as locks:
            again = [await locks.bid_once("upwork", str(number), placed) for number in range(8)]
        assert {outcome.reason for outcome in again} == {SkipReason.ALREADY_BID}
