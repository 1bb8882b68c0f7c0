"""Policies and everything that belongs to them, copied by watches: one for each kind in each namespace."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from bidlock_operator import resources
from bidlock_operator.kube.client import Kube
from bidlock_operator.manifests import naming, objects
from bidlock_operator.observing.children import Body, labels
from bidlock_operator.observing.news import News, Place
from bidlock_operator.observing.watching import Told, Watch
from bidlock_operator.pulses import Pulse
from bidlock_operator.resources import Resource

EVERY_POLICY = ""
"""Selector of the policies that are watched."""


class Copies:
    """As `observing.children.Cache`; every change wakes the policy that it is about."""

    def __init__(self, news: News, *, turns: Pulse, heard: Pulse) -> None:
        """Nothing is watched yet.

        Args:
            news: Fed with the policies.
            turns: Learns that the watches go on, and which policies should be looked after.
            heard: Learns which watch heard of the server.
        """
        self._news = news
        self._turns, self._heard = turns, heard
        self._children: defaultdict[tuple[Resource, Place], dict[str, Body]] = defaultdict(dict)
        self._tasks: list[asyncio.Task[None]] = []
        self._watches: list[Watch] = []

    def of(self, kind: Resource, namespace: str, policy: str) -> Iterable[Body]:
        """See `Cache.of`."""
        return tuple(self._children.get((kind, (namespace, policy)), {}).values())

    def begin(self, kube: Kube, kinds: Iterable[Resource], namespaces: Iterable[str], silence: float) -> None:
        """Watch from now on.

        Args:
            kube: A client.
            kinds: Of children.
            namespaces: Where; none for everywhere.
            silence: Seconds without a word after which a connection is taken for dead.
        """
        told: list[tuple[Resource, str, Told]] = [(resources.POLICY, EVERY_POLICY, self._policy)]
        told += [(kind, objects.POLICY_LABEL, partial(self._child, kind)) for kind in kinds]
        self._watches = [
            Watch(kube, kind, namespace, labels=selector, told=tell, turns=self._turns, heard=self._heard, silence=silence)
            for namespace in tuple(namespaces) or ("",)
            for kind, selector, tell in told
        ]
        self._tasks = [asyncio.create_task(watch.run(), name=watch.name) for watch in self._watches]

    def knows(self, namespace: str) -> bool:
        """Whether everything in a namespace has been listed once."""
        return all(watch.listed.is_set() for watch in self._of(namespace))

    async def known(self, namespace: str) -> None:
        """Return when everything in a namespace has been listed once."""
        await asyncio.gather(*(watch.listed.wait() for watch in self._of(namespace)))

    def _of(self, namespace: str) -> list[Watch]:
        return [watch for watch in self._watches if watch.namespace in ("", namespace)]

    async def end(self) -> None:
        """Watch no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _policy(self, old: Body | None, new: Body | None) -> None:
        body = new or old
        assert body is not None  # noqa: S101 — a change is of something
        place = place_of(body)
        self._news.policy(place, new)
        if new is None or new["metadata"].get("deletionTimestamp"):
            self._turns.forget(looked_after(place))
        else:
            self._turns.expect(looked_after(place))

    def _child(self, kind: Resource, old: Body | None, new: Body | None) -> None:
        if old is not None:
            self._drop(kind, old)
        if new is not None:
            place = _owner(new)
            self._children[kind, place][str(new["metadata"]["name"])] = new
            self._news.wake(place)

    def _drop(self, kind: Resource, body: Body) -> None:
        place = _owner(body)
        self._children[kind, place].pop(str(body["metadata"]["name"]), None)
        if not self._children[kind, place]:
            del self._children[kind, place]
        self._news.wake(place)


def place_of(body: Mapping[str, Any]) -> Place:
    """Under which name a policy's objects are found."""
    return str(body["metadata"]["namespace"]), naming.policy_label(str(body["metadata"]["name"]))


def looked_after(place: Place) -> str:
    """Name of the pulse of a policy's own loop."""
    return f"policy {'/'.join(place)}"


def _owner(child: Body) -> Place:
    return str(child["metadata"]["namespace"]), str(labels(child)[objects.POLICY_LABEL])
