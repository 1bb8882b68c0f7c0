"""Copies of a real API server's objects, while a proxy before it interrupts the watches that keep them."""

from __future__ import annotations

import asyncio

import pytest
from simulation.faults import Stream, Treatment
from simulation.proxy import nothing

from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.connecting import connected
from bidlock_operator.observing.copies import Copies
from bidlock_operator.observing.news import News
from bidlock_operator.pulses import Pulse

SILENCE = 1.0


class Watched:
    """ConfigMaps of one policy that is not there, as a human makes them and as the copies show them."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube, self.namespace = kube, namespace
        self.heard = Pulse()
        self.copies = Copies(News(), turns=Pulse(), heard=self.heard)

    async def make(self, name: str, **data: str) -> None:
        metadata = {"name": name, "namespace": self.namespace, "labels": {"bidlock.io/policy": "p"}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await self.kube.create(kinds.CONFIG_MAP, self.namespace, body)

    async def take_away(self, name: str) -> None:
        await self.kube.delete(kinds.CONFIG_MAP, self.namespace, name)

    def shown(self) -> set[str]:
        return {body["metadata"]["name"] for body in self.copies.of(kinds.CONFIG_MAP, self.namespace, "p")}

    async def shows(self, *names: str) -> None:
        async with asyncio.timeout(60):
            while self.shown() != set(names):
                await asyncio.sleep(0.02)


@pytest.fixture
async def watched(between, transport, namespace):
    made = Watched(Kube(transport), namespace)
    await made.make("first")
    async with connected(2.0) as proxied:
        made.copies.begin(Kube(proxied), [kinds.CONFIG_MAP], [namespace], SILENCE)
        await made.copies.known(namespace)
        yield made
        await made.copies.end()


async def test_a_copy_has_what_was_there_before_and_what_came_and_went(watched):
    assert watched.shown() == {"first"}

    await watched.make("second")
    await watched.shows("first", "second")
    await watched.take_away("first")
    await watched.shows("second")


async def test_an_object_as_large_as_the_server_takes_is_heard_of_like_any_other(watched, between):
    lists = len(between.answers)
    await watched.make("large", data="x" * 900_000)
    await watched.shows("first", "large")
    await watched.take_away("large")
    await watched.shows("first")
    assert len(between.answers) == lists, "something was listed anew"


@pytest.mark.parametrize("stream", [Stream.CUT, Stream.TORN, Stream.SILENT, Stream.GONE], ids=lambda stream: stream.value)
async def test_what_came_and_went_while_nothing_was_heard_is_in_the_copy(watched, between, stream):
    between.strike(lambda _: Treatment(stream=stream, after=0.2))
    async with asyncio.timeout(60):
        while not between.done.get(stream.value):
            await asyncio.sleep(0.02)
    await watched.make("second")
    await watched.take_away("first")
    between.choose = nothing

    await watched.shows("second")


async def test_a_copy_is_right_again_after_the_server_could_not_be_reached(watched, between):
    between.open.clear()
    await watched.make("second")
    await watched.take_away("first")
    assert watched.shown() == {"first"}

    between.open.set()
    await watched.shows("second")


async def test_the_time_since_the_server_was_heard_grows_while_it_cannot_be_reached(watched, between):
    between.open.clear()
    async with asyncio.timeout(60):
        while min(watched.heard.ages().values()) < 3 * SILENCE:
            await asyncio.sleep(0.1)

    between.open.set()
    async with asyncio.timeout(60):
        while max(watched.heard.ages().values()) > 2 * SILENCE:
            await asyncio.sleep(0.1)
