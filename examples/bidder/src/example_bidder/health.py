"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from example_bidder.telemetry import Metrics


@asynccontextmanager
async def serving(host: str, port: int, *, ready: Callable[[], bool], metrics: Metrics) -> AsyncIterator[int]:
    """Serve the three paths; yields the port.

    Readiness says whether this process takes work. It does not ask the lock's store: a store that is away for a minute
    must not take the whole fleet out of service, whose bidders just wait for it.
    """

    async def healthz(request: web.Request) -> web.Response:  # noqa: ARG001 — aiohttp passes it
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:  # noqa: ARG001 — aiohttp passes it
        return web.Response(text="ready\n") if ready() else web.Response(text="stopping\n", status=503)

    async def metrics_(request: web.Request) -> web.Response:  # noqa: ARG001 — aiohttp passes it
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics_)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, shutdown_timeout=1).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
