"""Locks of original bots on the server: `bid_lock:…`, which a controller's bidders do not look at."""

from __future__ import annotations

from collections.abc import Iterable

from bidlock_redis.link import Link

PATTERN = "bid_lock:*:*"
STEPS, AT_ONCE = 100, 1000
"""How many commands one search sends to a connection, and how many keys each goes over: a server is shared with others."""


class Search:
    """Goes over all keys of a server, a part at a time, and remembers how far it came."""

    def __init__(self) -> None:
        self._cursors: dict[int, bytes | int] = {}
        self._found: dict[int, str] = {}

    async def go_on(self, links: Iterable[Link]) -> str:
        """A lock that is there, or was when this part was searched last; empty for none.

        Raises:
            BackendError: a server did not tell.
        """
        for number, link in enumerate(links):
            await self._part(number, link)
        return next((name for name in self._found.values() if name), "")

    async def _part(self, number: int, link: Link) -> None:
        cursor = self._cursors.get(number, 0)
        for _ in range(STEPS):
            cursor, names = await link.submit(None, (b"SCAN", cursor, b"MATCH", PATTERN, b"COUNT", AT_ONCE))
            self._cursors[number] = cursor
            if names:
                self._found[number], self._cursors[number] = names[0].decode(errors="replace"), 0
                return
            if int(cursor) == 0:
                self._found[number] = ""
                return
