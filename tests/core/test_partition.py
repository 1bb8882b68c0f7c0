"""A holder that is cut off from its store."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

import bidlock
from bidlock.testing.proxy import Proxy

pytestmark = pytest.mark.servers

TIMES = {"ttl": 1.0, "margin": 0.05, "store_timeout": 0.2, "reach_timeout": 0.5}


@pytest.fixture
async def near(redis_url):
    """A client with a good line."""
    async with bidlock.connect(redis_url, environment={}, holder="near:1", **TIMES) as locks:
        yield locks


@pytest.mark.parametrize("answers_only", [False, True], ids=["nothing gets through", "only answers get lost"])
async def test_a_holder_that_is_cut_off_knows_that_it_lost_before_another_holds(near, redis_server, redis_url, answers_only):
    async with AsyncExitStack() as line, AsyncExitStack() as client:
        proxy = await line.enter_async_context(Proxy(redis_server.host, redis_server.port))
        through = redis_url.replace(f":{redis_server.port}", f":{proxy.port}")
        far = await client.enter_async_context(bidlock.connect(through, environment={}, holder="far:1", **TIMES))
        lease = await far.try_hold("upwork", "~01")

        if answers_only:
            proxy.hold()
        else:
            await line.aclose()

        async with near.hold("upwork", "~01", timeout=30) as successor:
            assert lease.lost.is_set()
            assert successor.token > lease.token


async def test_who_is_cut_off_skips_the_posting_as_unreachable(near, redis_server, redis_url):
    placed = []

    async def place(lease):
        placed.append(lease.token)

    async with AsyncExitStack() as line, AsyncExitStack() as client:
        proxy = await line.enter_async_context(Proxy(redis_server.host, redis_server.port))
        through = redis_url.replace(f":{redis_server.port}", f":{proxy.port}")
        far = await client.enter_async_context(bidlock.connect(through, environment={}, **TIMES))
        await line.aclose()

        outcome = await far.bid_once("upwork", "~01", place)

    assert outcome.reason is bidlock.SkipReason.UNREACHABLE
    assert not placed
    assert isinstance(await near.bid_once("upwork", "~01", place), bidlock.Placed)
