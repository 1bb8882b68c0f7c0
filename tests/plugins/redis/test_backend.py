"""The port on every flavour of server."""

from __future__ import annotations

import asyncio

import pytest

from bidlock.backend import MarkerState, Verdict
from bidlock.errors import ConfigurationError
from bidlock_redis.testing.servers import Server, available, start

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=available())
def server(request, tmp_path_factory):
    with start(request.param, directory=tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def url(server: Server):
    server.flush()
    return server.url


async def test_one_attempt_leases_and_another_is_told_how_long(opened, ticket, url):
    backend = await opened(url)
    won = await backend.acquire(ticket(ttl_ms=20_000))
    lost = await backend.acquire(ticket())
    assert won.ok
    assert lost.verdict is Verdict.HELD
    assert 0 < lost.remaining_ms <= 20_000


async def test_asking_again_gives_the_same_token_and_a_full_ttl(opened, ticket, url):
    backend = await opened(url)
    mine = ticket(ttl_ms=20_000)
    first = await backend.acquire(mine)
    again = await backend.acquire(mine._replace(ttl_ms=60_000))
    assert again == first
    assert (await backend.inspect(mine.posting)).lease.remaining_ms > 20_000


async def test_a_token_is_never_below_the_floor_also_when_asked_again(opened, ticket, url):
    backend = await opened(url)
    mine = ticket()
    first = (await backend.acquire(mine)).token
    raised = await backend.acquire(mine, floor=first + 1000)
    assert raised.token == first + 1000
    assert (await backend.acquire(ticket("2"))).token == first + 1001


async def test_tokens_stay_exact_beyond_what_lua_prints_in_full(opened, ticket, url):
    backend = await opened(url)
    high = 2**53 - 10
    assert (await backend.acquire(ticket(), floor=high)).token == high
    mine = ticket("2")
    assert (await backend.acquire(mine)).token == high + 1
    assert (await backend.inspect(mine.posting)).lease.token == high + 1


async def test_a_passed_lease_counts_as_free_and_gets_a_new_token(opened, ticket, url):
    backend = await opened(url)
    giver, receiver = ticket(), ticket()
    given = await backend.acquire(giver)
    assert (await backend.acquire(receiver, passed_from=giver.nonce)).token > given.token
    assert (await backend.renew(giver)).verdict is Verdict.LOST


async def test_a_claimed_posting_is_done_for_everybody_else(opened, ticket, url):
    backend = await opened(url)
    mine = ticket(posted_at_ms=1_700_000_000_000)
    token = (await backend.acquire(mine)).token
    assert (await backend.claim(mine, token)).ok
    assert (await backend.claim(mine, token)).ok
    assert (await backend.record(mine, MarkerState.PLACED)).ok
    assert (await backend.release(mine)).ok
    assert (await backend.acquire(ticket())).verdict is Verdict.DONE
    assert (await backend.mark(ticket(), 1)).verdict is Verdict.DONE
    assert (await backend.inspect(mine.posting)).marker == (mine.nonce, token, MarkerState.PLACED, 1_700_000_000_000)


async def test_a_marker_outlives_its_lease_without_a_ttl(opened, ticket, server, url):
    backend = await opened(url)
    mine = ticket()
    await backend.claim(mine, (await backend.acquire(mine)).token)
    assert server.command("PTTL", backend.keys(0).markers(mine.posting)) == -1


async def test_markers_are_kept_compact(opened, ticket, server, url):
    backend = await opened(url)
    mine = ticket(posted_at_ms=1_700_000_000_000)
    await backend.claim(mine, (await backend.acquire(mine)).token)
    assert server.command("OBJECT", "ENCODING", backend.keys(0).markers(mine.posting)) in ("listpack", "ziplist")


@pytest.mark.parametrize("posting_id", ["a b", "{x}:y", "ü" * 300, "\ud800", "\x00", 'it\'s "quoted"\r\n'])
async def test_ids_of_any_text_are_told_apart(opened, ticket, url, posting_id):
    backend = await opened(url)
    mine = ticket(posting_id)
    assert (await backend.acquire(mine)).ok
    assert (await backend.inspect(mine.posting)).lease.nonce == mine.nonce
    assert (await backend.acquire(ticket(posting_id + "."))).ok


async def test_breaking_a_lease_raises_the_counter_and_leaves_an_audit(opened, ticket, server, url):
    backend = await opened(url)
    mine = ticket()
    token = (await backend.acquire(mine)).token
    broken = await backend.break_(mine.posting, by="ops", reason="stuck")
    assert broken.nonce == mine.nonce
    assert await backend.break_(mine.posting, by="ops", reason="stuck") is None
    assert (await backend.acquire(ticket())).token > token + 1
    audit = server.command("LRANGE", backend.keys(0).audit, 0, -1)
    assert len(audit) == 1
    assert '"by":"ops"' in audit[0]


async def test_a_release_wakes_a_waiter_of_another_client(opened, ticket, url):
    holder, waiter = await opened(url), await opened(url)
    mine = ticket()
    await holder.acquire(mine)
    async with asyncio.timeout(10), waiter.wakeups(mine.posting) as woken:
        await holder.release(mine)
        await woken.wait(60)


async def test_a_store_that_may_evict_is_refused_with_the_remedy(opened, server, url):
    server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigurationError, match="set `maxmemory-policy noeviction`"):
            await opened(url)
    finally:
        server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")


async def test_a_replica_is_refused_with_the_remedy(opened, server, url, tmp_path):
    following = {"replicaof": f"{server.host} {server.port}"}
    refused = pytest.raises(ConfigurationError, match="is a replica and takes no writes; name the master")
    with start(server.flavour, directory=tmp_path, config=following) as replica, refused:
        await opened(replica.url)


async def test_a_durable_server_is_seen_as_one(opened, url):
    observed = await (await opened(url)).observe()
    assert observed.durable
    assert observed.warnings == ()


async def test_a_scripts_cache_that_was_emptied_is_filled_again(opened, ticket, server, url):
    backend = await opened(url)
    assert (await backend.acquire(ticket("1"))).ok
    server.command("SCRIPT", "FLUSH")
    answers = await asyncio.gather(*(backend.acquire(ticket(str(number))) for number in range(2, 20)))
    assert all(answer.ok for answer in answers)
