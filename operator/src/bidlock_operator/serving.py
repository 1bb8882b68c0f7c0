"""`/livez`, `/readyz` and `/metrics`. kopf's own health page says 200 even while nothing is watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler

from bidlock.errors import ConfigurationError

Check = Callable[[], str]
"""Says what is wrong; empty when all is well."""


@asynccontextmanager
async def served(host: str, port: int, *, live: Check, ready: Check, metrics: Callable[[], bytes]) -> AsyncIterator[int]:
    """Serve the three paths while the block runs; yields the port.

    Args:
        host: Address to listen on.
        port: 0 for any free one.
        live: When it finds something, the process should be restarted.
        ready: When it finds something, the operator does not do its work now; restarting it would not help.
        metrics: The text of `/metrics`.

    Raises:
        ConfigurationError: the port is taken.
    """
    app = web.Application()
    app.add_routes([web.get("/livez", _answering(live)), web.get("/readyz", _answering(ready)), web.get("/metrics", _showing(metrics))])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}; set BIDLOCK_OPERATOR_HTTP_PORT") from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _answering(check: Check) -> Handler:
    async def answer(request: web.Request) -> web.Response:  # noqa: ARG001 — aiohttp passes it
        wrong = check()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    return answer


def _showing(metrics: Callable[[], bytes]) -> Handler:
    async def show(request: web.Request) -> web.Response:  # noqa: ARG001 — aiohttp passes it
        return web.Response(body=metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return show
