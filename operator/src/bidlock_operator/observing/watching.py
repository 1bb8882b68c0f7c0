"""Copies of what the API server has, kept by watches that nothing ends.

A copy is right again after whatever befell its watch: one that was cut goes on from the version that it had reached;
one whose version is forgotten, or that is refused, is listed anew, and then what is gone from the list is gone from the
copy, too. One that only falls silent is taken for dead after a time, and goes on by a new connection.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import Forbidden, KubeError, Refused, Unanswered, refusal
from bidlock_operator.pulses import Pulse
from bidlock_operator.resources import Resource

log = structlog.stdlib.get_logger("bidlock_operator.watch")

Body = Mapping[str, Any]
Told = Callable[[Body | None, Body | None], None]
"""Told an object as it was and as it is; None while it is not there."""

LIFETIME = (300, 600)
"""Seconds, at least and at most, that a watch shall last; a new one may go to another replica of the server."""

FIRST, MOST = 0.1, 5.0
"""Seconds before a watch that failed begins again: the first time, and after many."""


class Watch:
    """A copy of the objects of one kind in one place."""

    def __init__(
        self, kube: Kube, kind: Resource, namespace: str, *, labels: str, told: Told, turns: Pulse, heard: Pulse, silence: float
    ) -> None:
        """Nothing is asked yet.

        Args:
            kube: A client.
            kind: Of the objects.
            namespace: Where; empty for everywhere.
            labels: A selector; empty for all objects.
            told: Told each change.
            turns: Learns that the watch goes on, whether it hears anything or not.
            heard: Learns that the server was heard.
            silence: Seconds without a word after which the connection is taken for dead.
        """
        self._kube = kube
        self._scope = (kind, namespace, labels)
        self.namespace = namespace
        self._told = told
        self._turns, self._heard = turns, heard
        self._silence = silence
        self._objects: dict[tuple[str, str], Body] = {}
        self._version = ""
        self._failures = 0
        self.name = f"watch of {kind.plural}" + (f" in {namespace}" if namespace else "")
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        self._heard.expect(self.name)
        while True:
            try:
                await self._list()
                await self._follow()
            except Forbidden as error:  # its namespace is gone, or not ours yet; others go on
                self._heard.forget(self.name)
                log.warning("a watch is forbidden", watch=self.name, error=str(error))
            except Refused as error:
                log.info("a watch begins anew", watch=self.name, error=str(error))
            except KubeError as error:
                log.warning("a watch cannot begin", watch=self.name, error=str(error))
            except Exception as error:  # whatever it is: a copy that stands still would look like a cluster at rest
                log.error("a watch failed", watch=self.name, exc_info=error)
            await self._pause()

    async def _list(self) -> None:
        """Take everything that is there for new, changed or gone, if it is."""
        self._turns.beat(self.name)
        kind, *_ = self._scope
        found, self._version = await self._kube.list_at(*self._scope)
        now = {_key(body): {"apiVersion": kind.api_version if kind.group else kind.version, "kind": kind.kind, **body} for body in found}
        for key in self._objects.keys() - now.keys():
            self._take(key, None)
        for key, body in now.items():
            if _identity(self._objects.get(key)) != _identity(body):
                self._take(key, body)
        self._heard.beat(self.name)
        self.listed.set()

    async def _follow(self) -> None:
        """Go on from the version that was reached, until the server refuses to."""
        while True:
            try:
                await self._stream()
            except Unanswered as error:
                log.debug("a watch ended", watch=self.name, error=str(error))
            await self._pause()

    async def _stream(self) -> None:
        self._turns.beat(self.name)
        began = time.monotonic()
        try:
            await self._listen()
        finally:
            if time.monotonic() - began > MOST:  # it was well: at rest nobody says anything
                self._failures = 0

    async def _listen(self) -> None:
        async with self._kube.watch(*self._scope, self._version, lifetime=random.randint(*LIFETIME), silence=self._silence) as events:
            self._heard.beat(self.name)
            async for event in events:
                self._hear(str(event.get("type")), event.get("object") or {})

    def _hear(self, what: str, body: Body) -> None:
        if what == "ERROR":
            raise refusal(int(body.get("code") or 0), body, "")
        self._failures = 0
        self._version = str(body["metadata"]["resourceVersion"])
        self._turns.beat(self.name)
        self._heard.beat(self.name)
        if what != "BOOKMARK":
            self._take(_key(body), None if what == "DELETED" else body)

    def _take(self, key: tuple[str, str], new: Body | None) -> None:
        old = self._objects.pop(key, None)
        if new is not None:
            self._objects[key] = new = slim(new)
        self._told(old, new)

    async def _pause(self) -> None:
        await asyncio.sleep(min(FIRST * 2 ** min(self._failures, 10), MOST) * random.uniform(0.5, 1.0))
        self._failures += 1


def slim(body: Body) -> dict[str, Any]:
    """An object without what nobody reads; of a workload it matters who sets its number of pods."""
    kept = dict(body)
    metadata = dict(kept["metadata"])
    managers = metadata.pop("managedFields", ())
    metadata["managedFields"] = [
        {key: entry.get(key) for key in ("manager", "subresource")} for entry in managers if entry.get("subresource") == "scale"
    ]
    return kept | {"metadata": metadata}


def _key(body: Body) -> tuple[str, str]:
    return str(body["metadata"]["namespace"]), str(body["metadata"]["name"])


def _identity(body: Body | None) -> tuple[str, str] | None:
    return (str(body["metadata"]["uid"]), str(body["metadata"]["resourceVersion"])) if body else None
