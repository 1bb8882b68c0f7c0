"""Who may open a `self` store, and what opening it again keeps."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bidlock.backend import SelfMeta, Verdict
from bidlock.errors import BackendError
from bidlock_redis import scripts
from bidlock_redis.link import Link
from bidlock_redis.testing.servers import start

pytestmark = pytest.mark.servers

META = SelfMeta("only", ttl_max_ms=60_000, margin_ms=5_000)


async def test_an_empty_store_is_opened_once_however_many_try(opened, redis_url):
    backends = [await opened(redis_url, blessed=False) for _ in range(5)]
    assert await asyncio.gather(*(backend.open_self(META) for backend in backends)) == [True] * 5
    observed = await backends[0].observe()
    assert (observed.owner, observed.incarnation, observed.ttl_max_ms, observed.modes) == ("self", 1, 60_000, {"only"})


@pytest.mark.parametrize("step", range(18))
async def test_who_opens_is_let_in_wherever_another_opens_and_bids_in_between(opened, ticket, redis_url, monkeypatch, step):
    slow, quick = [await opened(redis_url, blessed=False, buckets=4) for _ in range(2)]
    submit, asked = Link.submit, itertools.count()

    async def overtaken(link, *words):
        if link in slow.route.links() and next(asked) == step:
            assert await quick.open_self(META)
            assert all([(await quick.acquire(ticket(str(number)))).ok for number in range(12)])
        return await submit(link, *words)

    monkeypatch.setattr(Link, "submit", overtaken)
    assert await slow.open_self(META)
    assert next(asked) > step
    assert {(await slow.acquire(ticket(str(number)))).verdict for number in range(12)} == {Verdict.HELD}


async def test_a_store_of_another_owner_is_left_as_it_is(opened, ticket, redis_url):
    owner = await opened(redis_url, blessed=False)
    await hand_to_policy(owner)
    before = await owner.observe()

    stranger = await opened(redis_url, blessed=False)

    assert not await stranger.open_self(META)
    assert (await stranger.acquire(ticket())).verdict is Verdict.OWNER
    assert await owner.observe() == before


async def test_a_store_that_another_owner_has_only_planted_is_left_as_it_is(opened, redis_url):
    backend = await opened(redis_url, blessed=False)
    keys = backend.keys(0)
    await backend.run(scripts.PLANT, keys, (keys.meta, keys.quarantine), ("a" * 32, "policy-1"))
    assert not await backend.open_self(META)


@pytest.mark.parametrize("rest", ["ctr", "lease:upwork:1", "markers:0000", "audit"])
async def test_keys_without_a_meta_are_a_loss_and_stay_closed(opened, redis_server, redis_url, rest):
    backend = await opened(redis_url, blessed=False)
    redis_server.command("SET", f"{{{backend.keys(0).tag}}}:{rest}", 1)
    assert not await backend.open_self(META)
    assert not (await backend.observe()).initialised


async def test_keys_of_another_prefix_are_no_obstacle(opened, redis_server, redis_url):
    backend = await opened(redis_url, blessed=False)
    redis_server.command("SET", f"{{{backend.prefix}x:0}}:ctr", "1")
    assert await backend.open_self(META)


async def test_clients_that_disagree_about_buckets_never_both_get_in(opened, ticket, redis_url):
    one, four = await opened(redis_url, blessed=False), await opened(redis_url, blessed=False, buckets=4)
    await asyncio.gather(one.open_self(META), four.open_self(META))
    refusals = [{(await backend.acquire(ticket(str(number)))).verdict for number in range(12)} for backend in (one, four)]
    assert sum(Verdict.OK in verdicts for verdicts in refusals) == 1


async def test_every_bucket_is_opened_again_after_a_restart(opened, ticket, tmp_path):
    with start(directory=tmp_path) as server:
        backend = await opened(server.url, buckets=8)
        mine = [ticket(str(number)) for number in range(20)]
        assert all([(await backend.acquire(each)).ok for each in mine])
        await asyncio.to_thread(server.restart)

        again = [await opened(server.url, blessed=False, buckets=8) for _ in range(3)]
        assert await asyncio.gather(*(each.open_self(META) for each in again)) == [True] * 3

        assert all([(await backend.renew(each)).ok for each in mine])
        assert {(await again[0].observe()).incarnation} == {2}
        assert server.command("HEXISTS", backend.keys(3).meta, "lost_at") == 0


async def test_a_restart_of_a_server_that_forgets_is_noted_as_a_loss(opened, tmp_path):
    with start(directory=tmp_path, durable=False, config={"appendonly": "yes", "appendfsync": "everysec"}) as server:
        backend = await opened(server.url)
        await asyncio.to_thread(server.restart)
        assert await backend.open_self(META)
        assert server.command("HEXISTS", backend.keys(0).meta, "lost_at") == 1
        assert any("appendfsync everysec" in warning for warning in (await backend.observe()).warnings)


async def test_a_posting_not_newer_than_the_watermark_is_refused(opened, ticket, redis_server, redis_url):
    backend = await opened(redis_url)
    redis_server.command("HSET", backend.keys(0).meta, "watermark", 1_700_000_000_000)
    verdicts = [
        (await backend.acquire(ticket(str(stamp), posted_at_ms=stamp))).verdict for stamp in (0, 1_700_000_000_000, 1_700_000_000_001)
    ]
    assert verdicts == [Verdict.WATERMARK, Verdict.WATERMARK, Verdict.OK]


@pytest.mark.parametrize(
    ("field", "value", "verdict"),
    [
        ("owner", "policy-1", Verdict.OWNER),
        ("format", "2", Verdict.FORMAT),
        ("buckets", "2", Verdict.FORMAT),
        ("hash", "crc", Verdict.FORMAT),
        ("run_id", "0" * 40, Verdict.CLOSED),
        ("modes", ",primary,", Verdict.MODE),
        ("ttl_max", "29999", Verdict.TTL),
    ],
)
async def test_the_guard_says_what_differs(opened, ticket, redis_server, redis_url, field, value, verdict):
    backend = await opened(redis_url)
    redis_server.command("HSET", backend.keys(0).meta, field, value)
    mine = ticket()
    steps = (backend.acquire(mine), backend.confirm(mine, 1), backend.renew(mine), backend.claim(mine, 1), backend.mark(mine, 1))
    assert {(await step).verdict for step in steps} == {verdict}


async def test_strict_wants_the_origin_file_that_the_store_knows(opened, ticket, redis_server, redis_url):
    backend = await opened(redis_url)
    redis_server.command("HSET", backend.keys(0).meta, "modes", ",strict,", "s_domain", "file-1")
    assert (await backend.acquire(ticket(domain="file-2")._replace(mode="strict"))).verdict is Verdict.DOMAIN
    assert (await backend.acquire(ticket(domain="file-1")._replace(mode="strict"))).ok


async def test_a_user_who_may_not_read_the_configuration_is_warned(opened, redis_server, redis_url):
    redis_server.command("ACL", "SETUSER", "bot", "on", ">pw", "~*", "&*", "+@all", "-config")
    backend = await opened(redis_url.replace("redis://", "redis://bot:pw@"))
    observed = await backend.observe()
    assert not observed.durable
    assert any("CONFIG GET is not allowed" in warning for warning in observed.warnings)


async def test_a_user_without_the_channel_releases_all_the_same(opened, ticket, redis_server, redis_url):
    redis_server.command("ACL", "SETUSER", "mute", "on", ">pw", "~*", "resetchannels", "+@all")
    backend = await opened(redis_url.replace("redis://", "redis://mute:pw@"))
    mine = ticket()
    await backend.acquire(mine)
    async with asyncio.timeout(20), backend.wakeups(mine.posting) as woken:
        assert (await backend.release(mine)).ok
        await woken.wait(0.1)
    assert (await backend.acquire(ticket())).ok


async def test_a_user_who_may_run_no_script_gets_an_error_not_a_verdict(opened, ticket, redis_server, redis_url):
    redis_server.command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "&*", "+@all", "-@scripting")
    backend = await opened(redis_url.replace("redis://", "redis://reader:pw@"), blessed=False)
    with pytest.raises(BackendError, match="NOPERM"):
        await backend.acquire(ticket())


async def hand_to_policy(backend) -> None:
    """Bless as a controller does."""
    keys = backend.keys(0)
    _, nonce = await backend.run(scripts.PLANT, keys, (keys.meta, keys.quarantine), ("a" * 32, "policy-1"))
    arguments = (nonce, "policy-1", 1, 1, "blake2b-64", ",only,", 7, 3, "", 0, "file-1", 60_000, 5_000, 1)
    assert await backend.run(scripts.BLESS, keys, (keys.meta, keys.counter, keys.quarantine), arguments) == b"OK"
