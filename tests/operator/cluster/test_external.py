"""A Redis of the user's own: checked before it is used and all the while it is, on a real API server with real servers."""

from __future__ import annotations

import asyncio
import base64
import re
import time

import pytest
from simulation.world import Fleet, condition, operator, policy

from bidlock_operator.kube.kinds import EVENT, SECRET
from bidlock_operator.observing import stores
from bidlock_redis.testing.servers import Server, start

pytestmark = [pytest.mark.servers]

EXTERNAL = {"mode": "External", "external": {"urlSecretRef": {"name": "bids-redis", "key": "url"}}}
META = "{bidlock:0}:meta"


@pytest.fixture
def server(tmp_path):
    """A durable server that evicts nothing."""
    with start(directory=tmp_path / "external") as running:
        yield running


@pytest.fixture
async def quick(transport, node, namespace):
    """An operator that looks at a policy at rest every second."""
    async with operator(namespace, RESYNC="1") as memo:
        yield memo


async def external(transport, namespace: str, url: str, **spec) -> Fleet:
    """A policy whose Redis is at a URL."""
    fleet = Fleet(transport, policy(namespace, redis=EXTERNAL | spec.pop("redis", {}), **spec))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bids-redis", "namespace": namespace}}
    await fleet.kube.create(SECRET, namespace, secret | {"data": {"url": base64.b64encode(url.encode()).decode()}})
    await fleet.create()
    return fleet


def windows(server: Server) -> set[str]:
    """The modes that a server admits."""
    return set((server.command("HGET", META, "modes") or "").split(",")) - {""}


async def stalled(fleet: Fleet, reason: str) -> str:
    """Wait until a fleet cannot go on for a reason; its message."""
    body = await fleet.until(lambda body: condition(body, "Stalled", "reason") == reason, 90)
    return condition(body, "Stalled", "message")


async def test_a_fleet_walks_to_a_server_of_the_users_own_and_back(quick, transport, namespace, server):
    fleet = await external(transport, namespace, server.url)
    await fleet.walked("SQLite")

    for phase, authority in (("RedisOnly", "Redis"), ("SQLite", "SQLite")):
        await fleet.change(phase=phase)
        assert (await fleet.walked(phase, 120))["status"]["authority"] == authority


async def test_no_step_is_begun_towards_a_server_that_evicts_until_it_does_not(quick, transport, namespace, server):
    server.command("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    fleet = await external(transport, namespace, server.url, phase="DualSupport")

    message = await stalled(fleet, "RedisEvictionUnsafe")
    body = await fleet.until(lambda body: condition(body, "Ready") == "True")
    assert "volatile-lru" in message
    assert "maxmemory-policy noeviction" in message
    assert body["status"]["to"] == "sqlite"

    server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await fleet.walked("DualSupport", 90)


@pytest.mark.parametrize("phase", ["DualSupport", "RedisPrimary"])
async def test_a_server_that_evicts_from_now_on_is_closed_and_opened_again_when_it_does_not(quick, transport, namespace, server, phase):
    fleet = await external(transport, namespace, server.url, phase=phase)
    before = await fleet.walked(phase, 90)
    mode = before["status"]["to"]
    assert mode in windows(server)

    server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    message = await stalled(fleet, "RedisEvictionUnsafe")
    closed = await fleet.until(lambda body: condition(body, "RedisReady", "reason") == "RedisEvictionUnsafe" and not windows(server))
    assert "allkeys-lru" in message
    assert condition(closed, "Degraded", "reason") == "RedisEvictionUnsafe"
    assert condition(closed, "Ready") == ("True" if phase == "DualSupport" else "False")
    assert "RedisEvictionUnsafe" in await warnings(fleet)

    server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    after = await fleet.until(lambda body: condition(body, "RedisReady") == "True" and mode in windows(server))
    assert after["status"]["epoch"] == before["status"]["epoch"]


async def test_a_fleet_can_go_back_to_its_file_although_the_server_evicts(quick, transport, namespace, server):
    fleet = await external(transport, namespace, server.url, phase="DualSupport")
    await fleet.walked("DualSupport", 90)
    server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    await stalled(fleet, "RedisEvictionUnsafe")

    await fleet.change(phase="SQLite")
    await fleet.walked("SQLite", 90)


async def test_a_server_that_is_too_old_is_named_and_nothing_is_begun(quick, transport, namespace, too_old):
    fleet = await external(transport, namespace, too_old.url, phase="DualSupport")

    message = await stalled(fleet, "RedisTooOld")
    assert "is redis 6.0.9" in message
    assert "upgrade the server" in message
    assert "epoch" not in (await fleet.read())["status"]


async def test_redis_gets_no_authority_while_it_may_forget_unless_a_human_accepts_that(quick, transport, namespace, server):
    server.command("CONFIG", "SET", "appendfsync", "everysec")
    fleet = await external(transport, namespace, server.url, phase="RedisPrimary")

    message = await stalled(fleet, "RedisNotDurable")
    held = await fleet.read()
    assert (held["status"]["to"], held["status"]["authority"]) == ("strict", "SQLite")
    assert "appendfsync always" in message
    await fleet.change(redis={"acceptNotDurable": True})
    accepted = await fleet.walked("RedisPrimary", 90)
    assert condition(accepted, "ConfigurationWarning", "reason") == "RedisNotDurable"


async def test_a_server_that_may_forget_from_now_on_is_told_at_once_and_its_restart_stops_the_fleet(quick, transport, namespace, server):
    fleet = await external(transport, namespace, server.url, phase="RedisPrimary")
    await fleet.walked("RedisPrimary", 90)

    server.command("CONFIG", "SET", "appendfsync", "everysec")
    told = await fleet.until(lambda body: condition(body, "Degraded", "reason") == "RedisNotDurable")
    assert "appendfsync everysec" in condition(told, "Degraded", "message")
    assert condition(told, "Ready") == "True"
    server.restart()
    await stalled(fleet, "AuthorityLost")


async def test_an_original_bot_that_locks_in_the_same_server_is_told_for_as_long_as_it_does(
    quick, transport, namespace, server, monkeypatch
):
    monkeypatch.setattr(stores, "ORIGINALS_EVERY", 0.5)
    fleet = await external(transport, namespace, server.url, phase="DualSupport")
    walked = await fleet.walked("DualSupport", 90)
    assert condition(walked, "Degraded") == "False"

    server.command("SET", "bid_lock:upwork:~01ab", "bot-1:7:0123abcd", "EX", 300)
    told = await fleet.until(lambda body: condition(body, "Degraded", "reason") == "LegacyMixUnsafe")
    assert "bid_lock:upwork:~01ab" in condition(told, "Degraded", "message")
    assert condition(told, "Ready") == "True"
    server.command("DEL", "bid_lock:upwork:~01ab")
    await fleet.until(lambda body: condition(body, "Degraded") == "False")


@pytest.fixture
def clock(monkeypatch):
    """Sets the operator's clock by some seconds; Redis's stays."""

    def ahead_of_redis(seconds: float) -> None:
        monkeypatch.setattr(stores, "wall", lambda: time.time() + seconds)

    return ahead_of_redis


async def test_a_clock_that_is_off_is_told_and_a_loss_is_not_accepted_by_one_that_is_behind(quick, transport, namespace, server, clock):
    fleet = await external(transport, namespace, server.url, phase="RedisPrimary")
    await fleet.walked("RedisPrimary", 90)
    clock(3600)
    told = await fleet.until(lambda body: condition(body, "Degraded", "reason") == "RedisClockSkewed")
    assert "3600 s behind the operator's" in condition(told, "Degraded", "message")
    assert condition(told, "Ready") == "True"

    server.flush()
    message = await stalled(fleet, "AuthorityLost")
    assert "3600 s behind" in message
    await fleet.change(acceptAuthorityLoss=[nonce(message)])
    await asyncio.sleep(3)
    assert condition(await fleet.read(), "Stalled", "reason") == "AuthorityLost"

    clock(0)
    accepted = await fleet.walked("RedisPrimary")
    assert accepted["status"]["watermark"] > 0


def nonce(message: str) -> str:
    """The nonce that a message names."""
    return re.search(r"accept the loss by naming (\w+)", message)[1]


async def warnings(fleet: Fleet) -> set[str]:
    """Reasons of the events that call for a human."""
    return {event["reason"] for event in await fleet.kube.list(EVENT, fleet.namespace) if event.get("type") == "Warning"}
