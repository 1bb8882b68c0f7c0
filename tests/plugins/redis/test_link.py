"""What happens to operations when the connection, the server or the caller goes away."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bidlock.backend import Verdict
from bidlock.errors import BackendAmbiguous, BackendUnavailable, ConfigurationError
from bidlock.testing.proxy import Direction, Proxy
from bidlock_redis.testing.servers import Server, free_port, start

pytestmark = pytest.mark.servers


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may hurt."""
    with start(directory=tmp_path) as running:
        yield running


@pytest.fixture
async def proxied(redis_server):
    async with Proxy(redis_server.host, redis_server.port) as proxy:
        yield proxy


def through(proxy: Proxy, url: str) -> str:
    return f"redis://{proxy.host}:{proxy.port}/0?{url.partition('?')[2]}"


async def test_the_first_operation_leaves_at_once_and_all_others_of_its_tick_as_one_write(opened, ticket, redis_url):
    backend = await opened(redis_url)
    link = next(iter(backend.route.links()))
    await backend.acquire(ticket("warm"))
    before = link.writes
    answers = await asyncio.gather(*(backend.acquire(ticket(str(number))) for number in range(500)))
    assert all(answer.ok for answer in answers)
    assert link.writes == before + 2


async def test_a_lost_reply_is_ambiguous_and_asking_again_settles_it(opened, ticket, proxied, redis_url):
    backend = await opened(through(proxied, redis_url))
    mine = ticket()
    proxied.cut(Direction.REPLIES, after=0)
    with pytest.raises(BackendAmbiguous):
        await backend.acquire(mine)
    assert (await backend.acquire(mine)).ok


async def test_every_operation_in_flight_is_ambiguous_when_the_connection_is_cut(opened, ticket, proxied, redis_url):
    backend = await opened(through(proxied, redis_url))
    await backend.acquire(ticket("warm"))
    proxied.cut(Direction.REPLIES, after=3)
    answers = await asyncio.gather(*(backend.acquire(ticket(str(number))) for number in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {BackendAmbiguous}
    assert len({id(answer) for answer in answers}) == 20


async def test_an_answer_that_takes_too_long_is_ambiguous(opened, ticket, own_server: Server):
    backend = await opened(own_server.url)  # the usual time: the answers before the pause must not be late, however busy the machine is
    await backend.acquire(ticket("warm"))
    own_server.pause()
    try:
        with pytest.raises(BackendAmbiguous, match="did not answer in 2 s"):
            await backend.acquire(ticket())
        with pytest.raises(BackendUnavailable):
            await backend.acquire(ticket())
    finally:
        own_server.resume()
    assert (await backend.acquire(ticket())).verdict in (Verdict.OK, Verdict.HELD)


async def test_a_restarted_server_is_closed_until_it_is_blessed_and_keeps_every_lease(opened, ticket, own_server: Server):
    backend = await opened(own_server.url)
    mine = ticket()
    first = await backend.acquire(mine)
    own_server.kill()
    with pytest.raises((BackendUnavailable, BackendAmbiguous)):
        await backend.renew(mine)
    own_server.restart()
    assert (await backend.renew(mine)).verdict is Verdict.CLOSED
    assert not (await backend.observe()).live

    assert await opened(own_server.url)

    observed = await backend.observe()
    assert observed.live
    assert observed.incarnation == 2
    assert (await backend.renew(mine)).ok
    assert (await backend.acquire(ticket())).verdict is Verdict.HELD
    assert (await backend.acquire(ticket("2"))).token > max(first.token, 2 << 32)


async def test_behind_a_proxy_the_script_asks_for_the_run_id_itself(opened, ticket, own_server: Server):
    backend = await opened(own_server.url + "?proxied=1")
    own_server.command("CONFIG", "RESETSTAT")
    assert (await backend.acquire(ticket())).ok
    assert own_server.command("INFO", "commandstats")["cmdstat_info"]["calls"] == 1
    await asyncio.to_thread(own_server.restart)
    assert (await backend.acquire(ticket("2"))).verdict is Verdict.CLOSED


async def test_a_cancelled_caller_disturbs_nobody_else_in_its_pack(opened, ticket, redis_url):
    backend = await opened(redis_url)
    callers = [asyncio.create_task(backend.acquire(ticket(str(number)))) for number in range(30)]
    await asyncio.sleep(0)  # issued, and not yet written
    callers[3].cancel()
    await asyncio.sleep(0)  # written
    callers[7].cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    kinds = [type(answer) for answer in answers]
    assert kinds.count(asyncio.CancelledError) == 2
    assert sum(1 for answer in answers if getattr(answer, "ok", False)) == 28


async def test_a_cancelled_operation_that_was_not_written_did_not_happen(opened, ticket, redis_url):
    backend = await opened(redis_url)
    mine = ticket()
    in_flight, caller = asyncio.create_task(backend.acquire(ticket("first"))), asyncio.create_task(backend.acquire(mine))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(in_flight, caller, return_exceptions=True)
    assert (await backend.inspect(mine.posting)).lease is None


async def test_a_wrong_password_is_a_mistake_of_configuration_and_never_shown(opened, tmp_path):
    with start(directory=tmp_path, config={"requirepass": "right"}) as server:
        with pytest.raises(ConfigurationError, match="refused to log us in") as refusal:
            await opened(f"redis://:wr0ng@{server.host}:{server.port}")
        assert "wr0ng" not in str(refusal.value)
        with pytest.raises(ConfigurationError, match="refused to log us in"):
            await opened(server.url)
        await opened(f"redis://:right@{server.host}:{server.port}")


async def test_a_database_that_is_not_there_is_a_mistake_of_configuration(opened, redis_server):
    with pytest.raises(ConfigurationError, match="has no database 99"):
        await opened(f"redis://{redis_server.host}:{redis_server.port}/99")


async def test_a_server_that_is_not_there_is_unavailable(opened):
    with pytest.raises(BackendUnavailable, match="was not reached"):
        await opened(f"redis://127.0.0.1:{free_port()}")


async def test_a_unix_socket_serves_too(opened, ticket, tmp_path):
    path = tmp_path / "redis.sock"
    with start(directory=tmp_path / "data", config={"unixsocket": str(path)}):
        backend = await opened(f"redis+unix://{path}?db=1")
        assert (await backend.acquire(ticket())).ok


async def test_a_lost_link_wakes_every_waiter(opened, ticket, proxied, redis_url):
    backend = await opened(through(proxied, redis_url))
    async with asyncio.timeout(20), backend.wakeups(ticket("1").posting) as one, backend.wakeups(ticket("2").posting) as two:
        proxied.sever()
        await asyncio.gather(one.wait(60), two.wait(60))


async def test_a_waiter_is_told_again_after_its_link_came_back(opened, ticket, proxied, redis_url):
    backend, other = await opened(through(proxied, redis_url)), await opened(redis_url)
    mine = ticket()
    await other.acquire(mine)
    async with asyncio.timeout(20), backend.wakeups(mine.posting) as woken:
        proxied.sever()
        await woken.wait(60)  # the loss
        await woken.wait(60)  # subscribed again; something may have been missed
        waiting = asyncio.create_task(woken.wait(60))
        await asyncio.sleep(0)
        await other.release(mine)
        await waiting


FORKS = """
import asyncio, os, sys
from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket
from bidlock.postings import posting
from bidlock_redis.backend import RedisBackend

backend = RedisBackend(BackendConfig(parse(sys.argv[1])))

async def lease(number):
    return (await backend.acquire(Ticket(posting("m", str(number)), f"{number:032x}", "only", "h:1", 30000))).ok

async def leases(numbers):
    assert all(await asyncio.gather(*map(lease, numbers)))

async def in_child():
    await leases(range(300, 400))
    await backend.close()

async def parent():
    await backend.open()
    await backend.open_self(SelfMeta("only", 60000, 0))
    await leases(range(10))
    child = os.fork()
    if child == 0:
        asyncio._set_running_loop(None)
        asyncio.run(in_child())
        os._exit(0)
    await leases(range(100, 200))
    assert os.waitpid(child, 0)[1] == 0
    await leases(range(200, 300))
    await backend.close()

asyncio.run(parent())
"""


async def test_a_forked_child_uses_connections_of_its_own(redis_url):
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", FORKS, redis_url], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
