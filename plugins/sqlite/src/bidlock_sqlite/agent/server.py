"""The serving side: one file, one token, one path per verb."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import web

from bidlock.backend import BackendConfig
from bidlock.errors import BackendAmbiguous, BackendError, BidlockError, ConfigurationError, UnfitStore
from bidlock.migration.port import MarkerRow
from bidlock_sqlite.agent import wire
from bidlock_sqlite.controlled import SqliteOrigin

log = structlog.stdlib.get_logger("bidlock.sqlite.agent")

HEALTH = "/healthz"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _BadRequest(BidlockError):
    """The request is no verb with its arguments."""


def application(config: BackendConfig, token: Callable[[], str]) -> web.Application:
    """The agent of one file.

    Args:
        config: Names the file. How many buckets there are is the client's to say, with every verb.
        token: Tells what clients must know now; a Secret may change while it is mounted.
    """
    served = _Served(config, token)
    app = web.Application(client_max_size=wire.LARGEST, middlewares=[served.guarded])
    app.router.add_get(HEALTH, served.health)
    app.router.add_post(wire.PREFIX + "{verb}", served.verb)
    return app


class _Served:
    def __init__(self, config: BackendConfig, token: Callable[[], str]) -> None:
        self._config = config
        self._token = token

    @web.middleware
    async def guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Nothing but the health is told without the token; and whatever fails is told in one sentence."""
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        try:
            if request.path != HEALTH and not hmac.compare_digest(given, f"Bearer {self._token()}".encode()):
                return _failure(401, "request", "the token is missing or wrong")
            return await handler(request)
        except _BadRequest as error:
            return _failure(400, "request", str(error))
        except BackendError as error:
            return _failure(503, _kind(error), str(error))
        except UnfitStore as error:
            return _failure(503, wire.UNFIT, str(error), error.reason)
        except ConfigurationError as error:
            return _failure(503, "unavailable", str(error))
        except web.HTTPException as error:
            return _failure(error.status, "request", error.reason)
        except Exception as error:  # whatever it was, the client must not take it for a refusal
            log.exception("a verb failed unexpectedly", path=request.path)
            return _failure(500, "ambiguous", f"unexpected {type(error).__name__}")

    async def health(self, _: web.Request) -> web.Response:
        """Whether the file can be read; why it cannot is told to those who know the token."""
        try:
            await SqliteOrigin(self._config, may_create=False).open()
        except BidlockError:
            return web.json_response({"status": "unavailable"}, status=503)
        return web.json_response({"status": "ok"})

    async def verb(self, request: web.Request) -> web.StreamResponse:
        """Carry out one verb."""
        name = request.match_info["verb"]
        if name not in wire.VERBS:
            return _failure(404, "request", f"there is no verb {name!r}")
        body = await _body(request)
        try:
            arguments, origin = wire.read(name, body), self._origin(body)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise _BadRequest(f"{name}: an argument is missing or malformed ({type(error).__name__}: {error})") from None
        if name == "copy_out":
            return await _streamed(request, origin.copy_out(**arguments))
        return web.json_response({"answer": wire.plain(await getattr(origin, name)(**arguments))})

    def _origin(self, body: dict[str, Any]) -> SqliteOrigin:
        config = replace(self._config, buckets=int(body.get("buckets", 1)))
        return SqliteOrigin(config, may_create=False, seen=str(body.get("domain", "")))


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise _BadRequest("the body is no JSON") from None
    if not isinstance(body, dict):
        raise _BadRequest("the body is no JSON object")
    return body


async def _streamed(request: web.Request, chunks: AsyncIterator[list[MarkerRow]]) -> web.StreamResponse:
    """One marker per line. The last line says that it is the last, or what went wrong: a stream cut short has neither."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    last: dict[str, Any] = {"end": True}
    try:
        async for chunk in chunks:
            await response.write("".join(json.dumps(row) + "\n" for row in chunk).encode())
    except BackendError as error:
        last = {"error": str(error), "kind": _kind(error)}
    await response.write(json.dumps(last).encode() + b"\n")
    await response.write_eof()
    return response


def _kind(error: BackendError) -> str:
    return "ambiguous" if isinstance(error, BackendAmbiguous) else "unavailable"


def _failure(status: int, kind: str, sentence: str, reason: str = "") -> web.Response:
    return web.json_response({"error": sentence, "kind": kind, "reason": reason}, status=status)
