"""A proxy between the operator and a real API server, over which the wrong things can be made to happen.

It is an HTTP server of its own: timeouts, retries, pools and watches of the operator's clients are the real ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from kubernetes.aio.client import rest
from simulation.faults import Fault, Stream, Treatment

from bidlock_operator.kube.connecting import load_configuration

Choice = Callable[[web.Request], Treatment]
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"})


def nothing(request: web.Request) -> Treatment:
    """Let everything pass."""
    return Treatment()


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        port: Where it listens.
        choose: What happens to a request; may be changed at any time.
        open: Cleared, nothing passes in either direction any more: nobody gets an answer, an end, or a refusal.
        done: How often which fault happened.
        held: Requests that were held back by `Fault.HELD`; set, one is let go.
    """

    url: str
    session: aiohttp.ClientSession
    port: int = 0
    choose: Choice = nothing
    open: asyncio.Event = field(default_factory=asyncio.Event)
    done: dict[str, int] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    answers: list[tuple[str, int]] = field(default_factory=list)
    watching: dict[int, web.Request] = field(default_factory=dict)

    def kubeconfig(self, file: Path) -> Path:
        """Write credentials that lead through this proxy."""
        named = {"clusters": ("cluster", {"server": f"http://127.0.0.1:{self.port}"}), "users": ("user", {"token": "none"})}
        body: dict[str, Any] = {kind: [{"name": "proxied", key: value}] for kind, (key, value) in named.items()}
        context = {"name": "proxied", "context": {"cluster": "proxied", "user": "proxied"}}
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **body, "contexts": [context], "current-context": "proxied"}))
        return file

    def strike(self, choose: Choice) -> None:
        """From now on choose so; watches that are open already are cut."""
        self.choose = choose
        for request in self.watching.values():
            _cut(request)

    def watched_by(self, client: str) -> bool:
        """Whether a client whose user agent begins so has a watch open."""
        return any(request.headers.get("User-Agent", "").startswith(client) for request in self.watching.values())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Carry a request, or do to it what was chosen."""
        await self.open.wait()
        body = await request.read()
        treatment = self.choose(request)
        if treatment.fault is not Fault.NONE:
            self._count(treatment.fault.value)
        match treatment.fault:
            case Fault.NONE if request.query.get("watch"):
                self.watching[id(request)] = request
                try:
                    return await self._watch(request, treatment)
                finally:
                    del self.watching[id(request)]
            case Fault.NONE:
                return await self._carry(request, body)
            case Fault.HELD:
                return await self._hold(request, body)
            case Fault.SWALLOWED:
                return await _never(request)
            case Fault.CUT:
                return _cut(request)
            case Fault.LOST_REPLY:
                await self._carry(request, body)
                return _cut(request)
            case Fault.LATE:
                await self._carry(request, body)
                return await _never(request)
            case Fault.TORN:
                return await self._tear(request, await self._carry(request, body))
        return refusal(treatment.fault)

    def _count(self, happened: str) -> None:
        self.done[happened] = self.done.get(happened, 0) + 1

    async def _carry(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP | {"authorization"}}
        async with self.session.request(request.method, self.url + request.path_qs, headers=headers, data=body or None) as answer:
            read = await answer.read()
            self.answers.append((f"{request.method} {request.path}", answer.status))
            await self.open.wait()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, body=read, headers=kept)

    async def _hold(self, request: web.Request, body: bytes) -> web.Response:
        """Keep a request until it is let go, whatever its sender has come to meanwhile; then carry it."""
        name = f"{request.method} {request.path}"
        self.held[name] = asyncio.Event()
        carried = asyncio.ensure_future(self._late(name, request, body))
        return await asyncio.shield(carried)

    async def _late(self, name: str, request: web.Request, body: bytes) -> web.Response:
        await self.held[name].wait()
        return await self._carry(request, body)

    async def _tear(self, request: web.Request, answer: web.Response) -> web.StreamResponse:
        torn = web.StreamResponse(status=answer.status, headers={**answer.headers, "Content-Length": str(len(answer.body))})
        await torn.prepare(request)
        await torn.write(bytes(answer.body)[: len(answer.body) // 2])
        return _cut(request, torn)

    async def _watch(self, request: web.Request, treatment: Treatment) -> web.StreamResponse:
        """Carry a watch, for as long as it is meant to last."""
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        if treatment.stream is Stream.GONE and request.query.get("resourceVersion"):
            await stream.prepare(request)
            await asyncio.sleep(treatment.after)
            await stream.write(GONE)
            self._count(treatment.stream.value)
            return stream
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(treatment.after):
                return await self._stream(request, stream)
        self._count(treatment.stream.value)
        return await _ended(request, stream, treatment.stream)

    async def _stream(self, request: web.Request, stream: web.StreamResponse) -> web.StreamResponse:
        async with self.session.get(self.url + request.path_qs) as answer:
            if answer.status != 200:
                return web.Response(status=answer.status, body=await answer.read(), content_type="application/json")
            await stream.prepare(request)
            async for chunk in answer.content.iter_any():
                await self.open.wait()
                await stream.write(chunk)
        return stream


GONE = (
    json.dumps(
        {
            "type": "ERROR",
            "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"},
        }
    ).encode()
    + b"\n"
)
"""What the API server says in a watch from a version that it has forgotten."""


def refusal(fault: Fault) -> web.Response:
    """What a server says that does not do it."""
    if fault is Fault.NO_JSON:
        return web.Response(status=503, text="upstream connect error or disconnect/reset before headers")
    status, reason = {Fault.TOO_MANY: (429, "TooManyRequests"), Fault.BROKEN: (500, "InternalError"), Fault.CONFLICT: (409, "Conflict")}[
        fault
    ]
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status, "message": f"made up: {reason}"}
    return web.json_response(body, status=status, headers={"Retry-After": "1"} if status == 429 else {})


async def _never(request: web.Request) -> web.StreamResponse:
    """Wait until the caller has given up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)
    return web.Response()


def _cut(request: web.Request, stream: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return stream or web.Response()


async def _ended(request: web.Request, stream: web.StreamResponse, how: Stream) -> web.StreamResponse:
    if not stream.prepared:
        return _cut(request)
    if how is Stream.TORN:
        await stream.write(b'{"type":"MODIFIED","object":{"metad')
    if how is Stream.SILENT:
        return await _never(request)
    return _cut(request, stream)


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy to the cluster of KUBECONFIG while the block runs."""
    configuration = await load_configuration()
    context = rest.RESTClientObject(configuration).ssl_context
    unlimited = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=0), timeout=unlimited, auto_decompress=True
    ) as session:
        made = Proxy(configuration.host, session)
        made.open.set()
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", made.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            made.port = runner.addresses[0][1]
            yield made
        finally:
            made.open.set()
            await runner.cleanup()
            await asyncio.sleep(0.1)  # connections under TLS say goodbye
