"""A bare connection to a Redis server: bytes out, replies in, nothing between."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import parse_url

Command = tuple[str | bytes | int, ...]

_NOTHING = object()


def pack(command: Command) -> bytes:
    """One command as it is sent."""
    return hiredis.pack_command(command)  # type: ignore[arg-type, no-any-return]  # its stub takes tuples of one part only


class Wire(asyncio.Protocol):
    """One connection. One pack of commands is under way at a time."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._replies: list[Any] = []
        self._wanted = 0
        self._done: asyncio.Future[list[Any]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"not a byte stream: {transport!r}")
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not _NOTHING:
            self._replies.append(reply)
        if self._done and len(self._replies) >= self._wanted:
            done, self._done = self._done, None
            done.set_result(self._replies)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        if self._done and not self._done.done():
            self._done.set_exception(error or ConnectionResetError("the server closed the connection"))

    def ask(self, payload: bytes, replies: int) -> asyncio.Future[list[Any]]:
        """Send packed commands in one write; the future brings all their replies."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._replies, self._wanted = [], replies
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(payload)
        return self._done

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Run these commands as one pack.

        Raises:
            hiredis.ReplyError: the server refused one of them.
        """
        replies = await self.ask(b"".join(map(pack, commands)), len(commands))
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                raise reply
        return replies

    def close(self) -> None:
        """Disconnect."""
        if self._transport is not None:
            self._transport.close()


async def connect(url: str) -> Wire:
    """Connect to a `redis://`, `rediss://` or `unix://` URL, with its user, password and database."""
    options = parse_url(url)
    loop = asyncio.get_running_loop()
    if path := options.get("path"):
        _, wire = await loop.create_unix_connection(Wire, path)
    else:
        tls = ssl.create_default_context() if url.startswith("rediss://") else None
        _, wire = await loop.create_connection(Wire, options.get("host", "localhost"), options.get("port", 6379), ssl=tls)
    if password := options.get("password"):
        await wire.run([("AUTH", options.get("username") or "default", password)])
    if database := options.get("db"):
        await wire.run([("SELECT", database)])
    return wire
