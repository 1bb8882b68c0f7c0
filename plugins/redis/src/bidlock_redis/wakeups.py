"""Subscriptions to releases: one connection, shared by every waiter of a backend.

Telling is a courtesy: who misses a message asks again in time. So a lost link wakes everybody, and no error comes out.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import hiredis

from bidlock.errors import BidlockError
from bidlock_redis.dialing import Dialer, Dialled
from bidlock_redis.link import GRAVEYARD, bury_socket
from bidlock_redis.packing import pack

POLL_SECONDS = 0.5
"""How long a waiter sleeps while nobody can tell it anything."""


class _Channel:
    """A channel that somebody here waits on."""

    __slots__ = ("acknowledged", "events")

    def __init__(self) -> None:
        self.events: set[asyncio.Event] = set()
        self.acknowledged: asyncio.Future[None] | None = None


class Subscriptions(asyncio.Protocol):
    """The connection on which releases are told; opened by the first waiter, closed with the backend."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._forget()

    def _forget(self) -> None:
        self._channels: dict[bytes, _Channel] = defaultdict(_Channel)
        self._dialled: Dialled | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._former: asyncio.BaseProtocol | None = None
        self._replies = hiredis.Reader()
        self._opening: asyncio.Task[None] | None = None
        self._mute = False

    async def enter(self, channel: bytes, event: asyncio.Event) -> None:
        """Have `event` set at every message of the channel; returns when the server has acknowledged, or is out of reach."""
        self._channels[channel].events.add(event)
        await self.ensure(channel)

    def leave(self, channel: bytes, event: asyncio.Event) -> None:
        """Stop; the last waiter of a channel unsubscribes."""
        waiting = self._channels.get(channel)
        if waiting is None:
            return
        waiting.events.discard(event)
        if not waiting.events:
            del self._channels[channel]
            self._send(b"UNSUBSCRIBE", channel)

    async def ensure(self, channel: bytes) -> bool:
        """Whether the server tells us of this channel; subscribes if it does not yet."""
        try:
            await self._open()
        except (BidlockError, OSError):
            return False
        if self._mute:
            return False
        waiting = self._channels[channel]
        if waiting.acknowledged is None:
            waiting.acknowledged = asyncio.get_running_loop().create_future()
            self._send(b"SUBSCRIBE", channel)
        acknowledged = waiting.acknowledged
        await asyncio.wait([acknowledged], timeout=self._dialer.timeout)
        return acknowledged.done() and not acknowledged.cancelled()

    async def told(self, channel: bytes) -> bool:
        """Whether the server tells us of this channel; one that was lost is subscribed again, and its waiters are woken.

        They may have missed a message meanwhile.
        """
        acknowledged = self._channels[channel].acknowledged
        if acknowledged is not None and not acknowledged.cancelled():
            return True
        if not await self.ensure(channel):
            return False
        for event in self._channels[channel].events:
            event.set()
        return True

    async def close(self) -> None:
        """Drop the connection and wake everybody."""
        if self._opening:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._drop()

    def abandon(self) -> None:
        """In a forked child: forget the parent's connection without touching it."""
        if self._transport is not None:
            GRAVEYARD.append((self._transport, self._dialled, self._former))
            bury_socket(self._transport)
        elif self._opening is not None:
            GRAVEYARD.append(self._opening)
        self._forget()

    def data_received(self, data: bytes) -> None:
        """Take acknowledgements and messages."""
        self._replies.feed(data)
        while (reply := self._replies.gets()) is not False:
            self._take(reply)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody tells us anything any more: everybody asks for themselves."""
        if self._former is not None:
            self._former.connection_lost(error)
        self._transport = None
        self._wake_everybody()

    def _take(self, reply: Any) -> None:
        if not isinstance(reply, list):
            self._refused()
            return
        kind, channel = reply[0], reply[1]
        waiting = self._channels.get(channel)
        if waiting is None:
            return
        if kind == b"subscribe" and waiting.acknowledged is not None and not waiting.acknowledged.done():
            waiting.acknowledged.set_result(None)
        elif kind == b"message":
            for event in waiting.events:
                event.set()

    def _refused(self) -> None:
        """The user may not listen: whoever waits for an acknowledgement polls from now on."""
        self._mute = True
        for waiting in self._channels.values():
            if waiting.acknowledged is not None and not waiting.acknowledged.done():
                waiting.acknowledged.cancel()

    def _wake_everybody(self) -> None:
        for waiting in self._channels.values():
            if waiting.acknowledged is not None:
                waiting.acknowledged.cancel()
            waiting.acknowledged = None
            for event in waiting.events:
                event.set()

    def _send(self, word: bytes, channel: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(pack((word, channel)))

    async def _open(self) -> None:
        if self._transport is not None:
            return
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._connect())
        await asyncio.shield(self._opening)

    async def _connect(self) -> None:
        await self._drop()
        dialled = await self._dialer.dial()
        self._transport, self._former = dialled.hand_over(self)
        self._replies = hiredis.Reader()
        self._dialled, self._mute = dialled, False

    async def _drop(self) -> None:
        dialled, self._dialled = self._dialled, None
        if self._transport is not None:
            self._transport.abort()
        if dialled is not None:
            await dialled.connection.disconnect()
        self._wake_everybody()


class Waiter:
    """What a waiter of one posting holds."""

    def __init__(self, subscriptions: Subscriptions, channel: bytes) -> None:
        self._subscriptions = subscriptions
        self._channel = channel
        self._event = asyncio.Event()

    async def __aenter__(self) -> Waiter:
        try:
            await self._subscriptions.enter(self._channel, self._event)
        except BaseException:
            self._subscriptions.leave(self._channel, self._event)
            raise
        self._event.clear()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._subscriptions.leave(self._channel, self._event)

    async def wait(self, timeout: float) -> None:
        """See `bidlock.backend.Wakeups.wait`."""
        try:
            async with asyncio.timeout(timeout):
                if not self._event.is_set() and not await self._subscriptions.told(self._channel):
                    await asyncio.sleep(POLL_SECONDS)
                    return
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()
