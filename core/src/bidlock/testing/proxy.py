"""A TCP proxy that hurts: cuts connections at a chosen byte, holds replies back, delays.

async with Proxy("127.0.0.1", 6379) as proxy:
url = f"redis://{proxy.host}:{proxy.port}/0"
proxy.cut(Direction.REPLIES, after=3)     # three more bytes of replies, then every connection is severed, once
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Coroutine
from types import TracebackType
from typing import Any


class Direction(enum.Enum):
    """Which way bytes go."""

    REQUESTS = "requests"
    """From the client to the store."""
    REPLIES = "replies"
    """From the store to the client."""


class Proxy:
    """Stands between clients and one store.

    Attributes:
        host: Where it listens.
        port: Where it listens; known once it is entered.
        delay: How long every piece of data is kept before it goes on, seconds.
        bytes: How many bytes went on so far, by direction.
        cut_done: Whether the cut that was asked for last has happened.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.host = "127.0.0.1"
        self.port = 0
        self.delay = 0.0
        self.bytes = dict.fromkeys(Direction, 0)
        self.cut_done = False
        self._cut: tuple[Direction, int] | None = None
        self._replies_flow = asyncio.Event()
        self._replies_flow.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, self.host)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        self.sever()
        self.flow()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self, direction: Direction, *, after: int) -> None:
        """Sever every connection once `after` more bytes went in that direction; the byte after them never arrives.

        Connections made after the cut work again.
        """
        self._cut = (direction, after)
        self.cut_done = False

    def mend(self) -> None:
        """Forget a cut that has not happened."""
        self._cut = None

    def hold(self) -> None:
        """Keep replies back until `flow`; requests still arrive."""
        self._replies_flow.clear()

    def flow(self) -> None:
        """Let replies go on."""
        self._replies_flow.set()

    def sever(self) -> None:
        """Cut every connection now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_store, to_store = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, to_store}
        self._writers |= pair
        self._start(self._pump(Direction.REQUESTS, reader, to_store, pair))
        self._start(self._pump(Direction.REPLIES, from_store, writer, pair))

    def _start(self, pump: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(pump)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: set[asyncio.StreamWriter]
    ) -> None:
        try:
            while data := await reader.read(65_536):
                await self._held(direction)
                writer.write(self._allowed(direction, data))
                await writer.drain()
        except OSError:
            pass  # one end was cut; the other follows
        finally:
            for end in pair & self._writers:
                end.close()
            self._writers -= pair

    async def _held(self, direction: Direction) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        if direction is Direction.REPLIES:
            await self._replies_flow.wait()

    def _allowed(self, direction: Direction, data: bytes) -> bytes:
        if self._cut and self._cut[0] is direction:
            left = self._cut[1]
            if len(data) >= left:
                return self._last(direction, data[:left])
            self._cut = (direction, left - len(data))
        self.bytes[direction] += len(data)
        return data

    def _last(self, direction: Direction, data: bytes) -> bytes:
        self.bytes[direction] += len(data)
        self._cut, self.cut_done = None, True
        asyncio.get_running_loop().call_soon(self.sever)
        return data
