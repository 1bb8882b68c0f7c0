"""Beside an original bot, which takes `bid_lock:{marketplace}:{id}` with SET NX EX and releases by GET, compare, DEL."""

from __future__ import annotations

import pytest

from bidlock.backend import Verdict

pytestmark = pytest.mark.servers


class OriginalBot:
    def __init__(self, server, holder="host:9:0a1b2c3d") -> None:
        self._server = server
        self._holder = holder

    def acquire(self, posting) -> bool:
        return bool(self._server.command("SET", self._key(posting), self._holder, "NX", "EX", 300))

    def release(self, posting) -> bool:
        if self._server.command("GET", self._key(posting)) != self._holder:
            return False
        return bool(self._server.command("DEL", self._key(posting)))

    @staticmethod
    def _key(posting) -> str:
        return f"bid_lock:{posting.marketplace}:{posting.id}"


@pytest.fixture
def bot(redis_server):
    return OriginalBot(redis_server)


@pytest.fixture
async def backend(opened, redis_url):
    return await opened(redis_url, original_keys=True)


@pytest.fixture
def mine(ticket, request):
    return ticket(request.node.name)


async def test_an_original_bots_lock_is_in_the_way(backend, bot, mine):
    assert bot.acquire(mine.posting)
    answer = await backend.acquire(mine)
    assert answer.verdict is Verdict.HELD
    assert 290_000 < answer.remaining_ms <= 300_000
    assert (await backend.inspect(mine.posting)).lease.holder == "host:9:0a1b2c3d"
    assert bot.release(mine.posting)
    assert (await backend.acquire(mine)).ok


async def test_our_lease_is_in_an_original_bots_way_until_it_is_released(backend, bot, mine):
    await backend.acquire(mine)
    assert (await backend.renew(mine)).ok
    assert not bot.acquire(mine.posting)
    assert not bot.release(mine.posting)
    await backend.release(mine)
    assert bot.acquire(mine.posting)


async def test_a_claim_keeps_original_bots_out_for_good(backend, bot, mine, redis_server):
    token = (await backend.acquire(mine)).token
    assert (await backend.claim(mine, token)).ok
    assert (await backend.renew(mine)).ok
    await backend.release(mine)
    assert not bot.acquire(mine.posting)
    assert redis_server.command("PTTL", bot._key(mine.posting)) == -1


async def test_renewing_keeps_the_original_key_as_long_as_the_lease(backend, bot, mine, redis_server):
    await backend.acquire(mine._replace(ttl_ms=10_000))
    await backend.renew(mine._replace(ttl_ms=60_000))
    assert redis_server.command("PTTL", bot._key(mine.posting)) > 50_000


async def test_two_postings_that_share_an_original_key_do_not_free_each_other(backend, bot, ticket):
    one, two = ticket("c", marketplace="a:b"), ticket("b:c", marketplace="a")
    assert await backend.claim(one, (await backend.acquire(one)).token)
    await backend.release(one)
    assert (await backend.acquire(two)).ok
    await backend.release(two)
    assert not bot.acquire(one.posting)


async def test_breaking_frees_an_original_bots_lock(backend, bot, mine):
    bot.acquire(mine.posting)
    broken = await backend.break_(mine.posting, by="ops", reason="the bot is gone")
    assert broken.holder == "host:9:0a1b2c3d"
    assert (await backend.acquire(mine)).ok


async def test_a_client_without_original_keys_leaves_them_alone(opened, redis_url, bot, mine):
    backend = await opened(redis_url)
    assert bot.acquire(mine.posting)
    assert (await backend.acquire(mine)).ok
