"""What authors of backends and of bots get to test with."""

import asyncio

import pytest

from bidlock.testing.cancelling import cancel_at
from bidlock.testing.clocks import ManualClock
from bidlock.testing.proxy import Direction, Proxy


async def echo(reader, writer):
    while data := await reader.read(100):
        writer.write(data.upper())
    writer.close()


@pytest.fixture
async def proxy():
    server = await asyncio.start_server(echo, "127.0.0.1")
    async with server, Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as between:
        yield between


async def ask(proxy, text, size):
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    try:
        writer.write(text)
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    except ConnectionError:
        return None
    finally:
        writer.close()


async def test_a_proxy_lets_everything_through(proxy):
    assert await ask(proxy, b"hello", 5) == b"HELLO"
    assert proxy.bytes == {Direction.REQUESTS: 5, Direction.REPLIES: 5}


async def test_a_cut_request_arrives_in_part(proxy):
    proxy.cut(Direction.REQUESTS, after=3)
    await ask(proxy, b"hello", 5)
    assert proxy.cut_done
    assert proxy.bytes[Direction.REQUESTS] == 3


async def test_a_cut_reply_never_comes_whole(proxy):
    proxy.cut(Direction.REPLIES, after=2)
    assert await ask(proxy, b"hello", 5) in {b"HE", None}
    assert proxy.bytes == {Direction.REQUESTS: 5, Direction.REPLIES: 2}


async def test_connections_work_again_after_a_cut(proxy):
    proxy.cut(Direction.REQUESTS, after=0)
    await ask(proxy, b"hello", 5)
    assert await ask(proxy, b"again", 5) == b"AGAIN"


async def test_a_cut_that_was_not_reached_is_forgotten(proxy):
    proxy.cut(Direction.REPLIES, after=50)
    await ask(proxy, b"hello", 5)
    proxy.mend()
    assert await ask(proxy, b"x" * 90, 90) == b"X" * 90
    assert not proxy.cut_done


async def test_held_replies_come_when_they_may(proxy):
    proxy.hold()
    asking = asyncio.create_task(ask(proxy, b"hello", 5))
    while proxy.bytes[Direction.REQUESTS] < 5:
        await asyncio.sleep(0.001)
    assert not asking.done()
    proxy.flow()
    assert await asking == b"HELLO"


async def test_a_proxy_without_a_store_refuses():
    async with Proxy("127.0.0.1", 1) as proxy:
        assert await ask(proxy, b"hello", 5) in {b"", None}


def test_a_manual_clock_stands_still():
    clock = ManualClock()
    assert (clock.monotonic(), clock.time()) == (clock.monotonic(), clock.time())


def test_time_passes_on_both_hands():
    clock = ManualClock(monotonic=10, time=100)
    clock.advance(2.5)
    assert (clock.monotonic(), clock.time()) == (12.5, 102.5)


def test_a_jump_moves_the_wall_clock_alone():
    clock = ManualClock(monotonic=10, time=100)
    clock.jump(-60)
    assert (clock.monotonic(), clock.time()) == (10, 40)


def test_a_monotonic_clock_never_goes_back():
    with pytest.raises(ValueError, match="never goes back"):
        ManualClock().advance(-1)


async def three_waits(seen):
    for number in range(3):
        await asyncio.sleep(0)
        seen.append(number)
    return "done"


@pytest.mark.parametrize(("step", "seen"), [(1, []), (2, [0]), (3, [0, 1])])
async def test_work_is_cancelled_at_the_chosen_await(step, seen):
    noted = []
    ending = await cancel_at(step, lambda: three_waits(noted), late=False)
    assert (ending.reached, noted) == (True, seen)
    assert isinstance(ending.error, asyncio.CancelledError)


async def test_work_with_fewer_awaits_is_left_alone():
    ending = await cancel_at(4, lambda: three_waits([]), late=False)
    assert ending == (False, "done", None)


async def test_a_late_cancellation_throws_away_an_answer_that_came():
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, answer.set_result, "yes")

    async def work():
        return await answer

    ending = await cancel_at(1, work, late=True)
    assert isinstance(ending.error, asyncio.CancelledError)
    assert answer.result() == "yes"


async def test_an_early_cancellation_reaches_what_is_awaited():
    answer = asyncio.get_running_loop().create_future()

    async def work():
        return await answer

    await cancel_at(1, work, late=False)
    assert answer.cancelled()


async def test_work_that_shields_itself_finishes_first():
    cleaned = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    await cancel_at(1, work, late=False)
    assert cleaned == [True]


async def test_a_failure_is_no_cancellation():
    async def work():
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    ending = await cancel_at(9, work, late=False)
    assert ending.failed
