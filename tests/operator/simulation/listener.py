"""An aiohttp application served at an address, until it is stopped, with nothing left open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

_TURNS = 3
"""Of the loop, from a connection's acceptance to the server's knowing it: accepted; its transport made; the protocol told."""


async def listen(app: web.Application, address: str, port: int) -> Callable[[], Awaitable[None]]:
    """Serve `app`, and say how to stop it.

    Raises:
        OSError: The address is taken.
    """
    sock = socket.create_server((address, port))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, sock).start()

    async def stop() -> None:
        await _accept_no_more(sock)
        await runner.cleanup()

    return stop


async def _accept_no_more(sock: socket.socket) -> None:
    """Let what was accepted become a connection that the server knows, and can close.

    asyncio forgets a connection that it accepted in the very turn in which its server is closed: nothing closes the
    socket but the garbage collector (https://github.com/python/cpython/issues/109564), and a caller waits for nobody.
    """
    asyncio.get_running_loop().remove_reader(sock)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
