"""An operator in this process, a node, and a policy to play with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import kopf

from bidlock_operator import handlers, resources, running
from bidlock_operator.election import Timing
from bidlock_operator.handlers import adjust
from bidlock_operator.kube.client import Kube, path
from bidlock_operator.kube.transport import MERGE, Request, Transport
from bidlock_operator.observing import copies
from bidlock_operator.settings import Settings

Body = dict[str, Any]


RUN = {"tests.bidlock.io/run": str(os.getpid())}
"""Label of the policies of this process: tests of other processes work at the same API server at the same time."""

_SELECTOR = ",".join(f"{name}={value}" for name, value in RUN.items())

NAMESPACES: set[str] = set()
"""Where policies of this process may be."""


def policy(namespace: str, name: str = "arbitrage", **spec: Any) -> Body:
    """A policy with short times; sections of the spec are merged into it."""
    NAMESPACES.add(namespace)
    base: Body = {
        "phase": "SQLite",
        "replicas": 2,
        "lock": {"ttlSeconds": 4, "marginSeconds": 1, "waitTimeoutSeconds": 1},
        "rollout": {"soakSeconds": 0},
        "sqlite": {"storage": {"size": "1Gi"}},
        "bidder": {"bidTimeoutSeconds": 1, "template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1"}]}}},
    }
    for section, values in spec.items():
        base[section] = base[section] | values if isinstance(base.get(section), dict) else values
    metadata = {"name": name, "namespace": namespace, "labels": dict(RUN)}
    return {"apiVersion": resources.POLICY.api_version, "kind": resources.POLICY.kind, "metadata": metadata, "spec": base}


class Fleet:
    """One policy, as a human with kubectl sees it."""

    def __init__(self, transport: Transport, body: Body, every: float = 0.05) -> None:
        """Nothing is sent yet; what is waited for is looked at `every` so many seconds."""
        self.transport, self.every = transport, every
        self.kube = Kube(transport, manager="human")
        self.namespace, self.name = body["metadata"]["namespace"], body["metadata"]["name"]
        self.body = body

    async def create(self) -> Body:
        """Make it."""
        return await self.kube.create(resources.POLICY, self.namespace, self.body)

    async def change(self, **spec: Any) -> Body:
        """Merge into its spec."""
        return await self.kube.merge(resources.POLICY, self.namespace, self.name, {"spec": spec})

    async def read(self) -> Body:
        """As it is now."""
        found = await self.kube.get(resources.POLICY, self.namespace, self.name)
        assert found
        return found

    async def delete(self) -> None:
        """Delete it."""
        await self.kube.delete(resources.POLICY, self.namespace, self.name)

    async def until(self, holds: Callable[[Body], object], seconds: float = 60.0) -> Body:
        """Wait for a state of it."""
        deadline = time.monotonic() + seconds
        while True:
            body = await self.read()
            if holds(body):
                return body
            assert time.monotonic() < deadline, f"not in {seconds:g} s: {told(body)}"
            await asyncio.sleep(self.every)

    async def walked(self, phase: str, seconds: float = 60.0) -> Body:
        """Wait until it has converged on a phase and is ready."""
        return await self.until(lambda body: converged(body, phase) and condition(body, "Ready") == "True", seconds)

    async def send(self, method: str, kind: resources.Resource, name: str, patch: Mapping[str, Any], subresource: str = "") -> Body:
        """Any other request about something in its namespace."""
        place = path(kind, self.namespace, name) + (f"/{subresource}" if subresource else "")
        return await self.transport.send(Request(method, place, {}, patch, MERGE))


def condition(body: Body, kind: str, field: str = "status") -> str:
    """A condition of a policy."""
    found = [each for each in (body.get("status") or {}).get("conditions") or () if each["type"] == kind]
    return str(found[0][field]) if found else ""


def converged(body: Body, phase: str) -> bool:
    """Whether a policy says, of its present spec, that it is where it should be."""
    status = body.get("status") or {}
    fresh = status.get("observedGeneration") == body["metadata"]["generation"]
    return fresh and status.get("currentPhase") == phase and condition(body, "PhaseConverged") == "True"


def told(body: Body) -> Body:
    """What a policy says, without what it asks for."""
    return dict(body.get("status") or {})


@asynccontextmanager
async def operator(lease: str, *, everywhere: bool = False, beside: tuple[str, ...] = (), **environment: str) -> AsyncIterator[kopf.Memo]:
    """An operator in a thread of this process while the block runs: at its end kopf cancels whatever else its loop has.

    Args:
        lease: Names its Lease, in another namespace than the one it works in: that one may be deleted. (Everywhere this process does.)
        beside: Namespaces in which it works, too.
        everywhere: Whether it works in every namespace, not in that one only; it sees the policies of this process.
        environment: `BIDLOCK_OPERATOR_*`.
    """
    memo, stop = kopf.Memo(), threading.Event()
    namespaces = () if everywhere else (lease, *beside)
    told = {
        "HTTP_PORT": "0",
        "HTTP_HOST": "127.0.0.1",
        "LEASE_NAMESPACE": "default",
        "LEASE_NAME": f"operator-{os.getpid()}" if everywhere else f"operator-{lease}",
        "NAMESPACES": ",".join(namespaces),
    } | environment
    with (
        mock.patch.object(handlers, "adjust", _adjust),
        mock.patch.object(running, "Timing", _patient),
        mock.patch.object(copies, "EVERY_POLICY", _SELECTOR),
        variables(**{f"BIDLOCK_OPERATOR_{name}": value for name, value in told.items()}),
    ):
        life = asyncio.create_task(asyncio.to_thread(asyncio.run, _operate(namespaces, memo, stop)))
        try:
            yield memo
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await life


async def leading(memo: kopf.Memo) -> None:
    """Wait until an operator leads and has looked around."""
    async with asyncio.timeout(60):
        while not ("operator" in memo and memo.operator.leading and not memo.operator.wrong()):
            await asyncio.sleep(0.05)


def _patient() -> Timing:
    """Leading ends with the process, which here is the tests': whatever the machine is busy with, it must not be ended."""
    return Timing(duration=120.0, deadline=110.0, retry=1.0, request=10.0)


def _adjust(settings: kopf.OperatorSettings, own: Settings) -> None:
    """As the operator does; but it is not the operator's process that would be killed for ending slowly."""
    adjust(settings, own)
    settings.watching.label_selectors[lambda resource: resource.plural == resources.POLICY.plural] = _SELECTOR
    settings.process.ultimate_exiting_timeout = None


async def _operate(namespaces: tuple[str, ...], memo: kopf.Memo, stop: threading.Event) -> None:
    await kopf.operator(namespaces=list(namespaces), clusterwide=not namespaces, memo=memo, stop_flag=stop)
    await _goodbyes()


async def _goodbyes() -> None:
    """Wait for connections under TLS to say goodbye, which kopf does not do; an event loop may not end with one open."""
    loop: Any = asyncio.get_running_loop()
    until = time.monotonic() + 30
    while len(watched := loop._selector.get_map()) > 1:  # one is the loop's own
        assert time.monotonic() < until, f"still open: {[key.data for key in watched.values()]}"
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def variables(**values: str):
    """Environment variables while the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
