"""Which connection serves a bucket: the only one, or the cluster node that has the bucket's slot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol

import hiredis
from redis.crc import key_slot

from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock_redis import refusals
from bidlock_redis.dialing import Dialer
from bidlock_redis.layout import Keys
from bidlock_redis.link import Link
from bidlock_redis.options import Options
from bidlock_redis.packing import Words
from bidlock_redis.scripts import Script

REDIRECTIONS = 5
"""How often a cluster may send us on before we call it out of order."""


class Route(Protocol):
    """The connections of one backend."""

    async def open(self) -> None:
        """Reach the server, or every node of the cluster."""

    async def close(self) -> None:
        """Drop every connection."""

    def abandon(self) -> None:
        """In a forked child: forget every connection."""

    def link(self, keys: Keys) -> Link:
        """The connection for a bucket."""

    async def redirected(self, error: hiredis.ReplyError, keys: Keys, script: Script | None, words: Words) -> Any:
        """Do what a MOVED or ASK tells: run the operation where the bucket is now."""

    def links(self) -> Iterable[Link]:
        """Every connection, opened or not."""

    def dialer(self) -> Dialer:
        """Where to subscribe."""


class Direct:
    """One server: by host, by socket, or whichever Sentinel names."""

    def __init__(self, options: Options, timeout: float) -> None:
        self._dialer = Dialer(options, timeout)
        self._link = Link(self._dialer, timeout=timeout, proxied=options.proxied, wait_replicas=options.wait_replicas)

    async def open(self) -> None:
        """See `Route.open`."""
        await self._link.open()

    async def close(self) -> None:
        """See `Route.close`."""
        await self._link.close()

    def abandon(self) -> None:
        """See `Route.abandon`."""
        self._link.abandon()

    def link(self, keys: Keys) -> Link:  # noqa: ARG002 # every bucket is on the one server
        """See `Route.link`."""
        return self._link

    def links(self) -> Iterable[Link]:
        """See `Route.links`."""
        return (self._link,)

    def dialer(self) -> Dialer:
        """See `Route.dialer`."""
        return self._dialer

    async def redirected(self, error: hiredis.ReplyError, keys: Keys, script: Script | None, words: Words) -> Any:  # noqa: ARG002 # nowhere to go
        """A server that redirects is a cluster's, and the URL does not say so."""
        raise BackendUnavailable(f"the server belongs to a cluster ({refusals.code(error)}); use redis+cluster:// in the URL")


class Cluster:
    """The nodes of a cluster, and which slot is where."""

    def __init__(self, options: Options, timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._nodes: dict[tuple[str, int], Link] = {}
        self._slots: dict[int, tuple[str, int]] = {}
        self._refreshing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """See `Route.open`."""
        await self._refresh()
        await asyncio.gather(*(self._node(node).open() for node in set(self._slots.values())))

    async def close(self) -> None:
        """See `Route.close`."""
        if self._refreshing:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self._nodes.values()))

    def abandon(self) -> None:
        """See `Route.abandon`."""
        for link in self._nodes.values():
            link.abandon()
        self._refreshing = None

    def link(self, keys: Keys) -> Link:
        """See `Route.link`; before the map is known, or with a hole in it, some node, which then redirects."""
        return self._node(self._slots.get(_slot(keys)) or self._options.hosts[0])

    def links(self) -> Iterable[Link]:
        """See `Route.links`."""
        return [self._node(node) for node in sorted(set(self._slots.values()))]

    def dialer(self) -> Dialer:
        """See `Route.dialer`; a cluster carries messages to every node, so any will do."""
        return Dialer(self._options, self._timeout, next(iter(self._slots.values()), self._options.hosts[0]))

    async def redirected(self, error: hiredis.ReplyError, keys: Keys, script: Script | None, words: Words) -> Any:
        """See `Route.redirected`. The node that redirects did nothing, so each step may be sent again."""
        for _ in range(REDIRECTIONS):
            word, _slot_number, place = str(error).split(" ")[:3]
            host, _, port = place.rpartition(":")
            asking = word == "ASK"
            link = self._node((host or self._options.hosts[0][0], int(port)))
            if not asking:
                await self._refresh()
                link = self.link(keys)
            try:
                return await link.submit(script, words, asking=asking)
            except hiredis.ReplyError as next_error:
                error = next_error
        raise BackendUnavailable(f"the cluster redirected {REDIRECTIONS} times: {error}")

    def _node(self, node: tuple[str, int]) -> Link:
        if node not in self._nodes:
            dialer = Dialer(self._options, self._timeout, node)
            self._nodes[node] = Link(
                dialer, timeout=self._timeout, proxied=self._options.proxied, wait_replicas=self._options.wait_replicas
            )
        return self._nodes[node]

    async def _refresh(self) -> None:
        """Read the map of slots; callers that come meanwhile share the answer."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._read_slots())
        await asyncio.shield(self._refreshing)

    async def _read_slots(self) -> None:
        failure: BackendUnavailable | BackendAmbiguous | None = None
        for node in dict.fromkeys((*self._nodes, *self._options.hosts)):
            try:
                reply = await self._node(node).submit(None, (b"CLUSTER", b"SLOTS"))
            except (BackendUnavailable, BackendAmbiguous) as error:
                failure = error
                continue
            self._slots = _read_slots(reply, node[0])
            return
        # Asking for the map changes nothing: a lost answer did not happen, either.
        raise BackendUnavailable(f"no node of the cluster told where its slots are: {failure}")


def route(options: Options, timeout: float) -> Route:
    """The connections for a URL."""
    return Cluster(options, timeout) if options.kind == "cluster" else Direct(options, timeout)


def _slot(keys: Keys) -> int:
    return key_slot(keys.meta.encode())


def _read_slots(reply: Any, asked: str) -> dict[int, tuple[str, int]]:
    """Masters by slot; a node that does not know its own name is reached as we reached it."""
    slots = {}
    for first, last, master, *_ in reply:
        host = master[0].decode() if master[0] else asked
        slots.update(dict.fromkeys(range(first, last + 1), (host or asked, master[1])))
    return slots
