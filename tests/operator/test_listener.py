"""How the simulated node serves an agent."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web
from simulation.listener import listen


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_is_closed_however_shortly_before_the_stop_it_was_made(free_port, turns):
    stop = await listen(web.Application(), "127.0.0.1", free_port)
    with socket.create_connection(("127.0.0.1", free_port)) as caller:
        for _ in range(turns):
            await asyncio.sleep(0)

        await stop()

        caller.setblocking(False)
        async with asyncio.timeout(2):
            assert await ending(caller) == b""


async def ending(caller):
    """What comes last: nothing, be the connection ended or reset."""
    try:
        return await asyncio.get_running_loop().sock_recv(caller, 1)
    except ConnectionResetError:
        return b""
