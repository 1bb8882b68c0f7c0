"""The newest of every policy that the API server has told us, and who waits for more."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str, str]
"""Namespace and name of a policy."""


class News:
    """Fed by the watches, read by the policies' own loops."""

    def __init__(self) -> None:
        self._bodies: dict[Place, Mapping[str, Any]] = {}
        self._events: defaultdict[Place, asyncio.Event] = defaultdict(asyncio.Event)

    def policy(self, place: Place, body: Mapping[str, Any] | None) -> None:
        """A policy changed; None when it is gone."""
        if body is None:
            self._bodies.pop(place, None)
        else:
            self._bodies[place] = body
        self.wake(place)

    def wake(self, place: Place) -> None:
        """Something that belongs to a policy changed."""
        self._events[place].set()

    def latest(self, place: Place) -> Mapping[str, Any] | None:
        """A policy as last told; None when it is gone, or was never told."""
        return self._bodies.get(place)

    def all(self) -> tuple[Mapping[str, Any], ...]:
        """Every policy in sight."""
        return tuple(self._bodies.values())

    def others(self, place: Place) -> Iterator[Mapping[str, Any]]:
        """Every other policy in sight."""
        return (body for other, body in self._bodies.items() if other != place)

    async def wait(self, place: Place, seconds: float) -> None:
        """Until something changes that was not waited for before, or until the time is over."""
        event = self._events[place]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        event.clear()

    def forget(self, place: Place, uid: str) -> bool:
        """A policy is gone, and nobody waits any more; whether there is no other one of its name by now, which is kept."""
        body = self._bodies.get(place)
        if body is not None and body["metadata"]["uid"] != uid:
            return False
        self._bodies.pop(place, None)
        self._events.pop(place, None)
        return True
