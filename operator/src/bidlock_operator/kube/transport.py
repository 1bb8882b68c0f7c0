"""One request, one answer. Everything the operator asks of the API server passes `Transport.send`; nothing is retried here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

from bidlock_operator.kube.errors import Refused, Unanswered, refusal

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        method: HTTP verb.
        path: Path of the object or list.
        query: Query parameters.
        body: What to send as JSON; None for nothing.
        content_type: Of the body.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content_type: str = JSON


class Transport(Protocol):
    """Carries requests to the API server."""

    async def send(self, request: Request) -> dict[str, Any]:
        """The answer's body.

        Raises:
            Refused: the server said no.
            Unanswered: nobody knows whether it was done.
        """

    def follow(self, request: Request, silence: float) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        """An answer that goes on: its lines, each an object, until the server ends it. Raises as `send` does, at any line.

        Args:
            request: A watch.
            silence: Longest wait for the next line, seconds. A connection can die without anybody being told.
        """


AT_ONCE = 16
"""Requests under way at most, watches apart: hundreds of policies that all move must not crowd everybody else out of the server."""


class HttpTransport:
    """Sends requests with the official client's connection pool and credentials."""

    def __init__(self, api: client.ApiClient, timeout: float) -> None:
        """Nothing is sent yet.

        Args:
            api: Configured, opened; closed by its owner.
            timeout: Longest wait for one whole answer, seconds.
        """
        self._api = api
        self._timeout = timeout
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def host(self) -> str:
        """The server's address."""
        return str(self._api.configuration.host)

    async def send(self, request: Request) -> dict[str, Any]:
        """See `Transport.send`."""
        async with self._turn:
            with _translated(request, self._timeout):
                async with asyncio.timeout(self._timeout):
                    return await self._send(request)

    @asynccontextmanager
    async def follow(self, request: Request, silence: float) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """See `Transport.follow`."""
        endless = aiohttp.ClientTimeout(total=None)
        with _translated(request, self._timeout):
            async with asyncio.timeout(self._timeout):
                response = await self._ask(request, endless)
                if response.status >= 400:
                    raise await _refusal(response)
        try:
            yield _lines(request, response.response, silence)
        finally:
            response.response.close()

    async def _send(self, request: Request) -> dict[str, Any]:
        response = await self._ask(request, self._timeout)
        if response.status >= 400:
            raise await _refusal(response)
        body = json.loads(await response.read() or b"{}")
        return body if isinstance(body, dict) else {}

    async def _ask(self, request: Request, timeout: aiohttp.ClientTimeout | float) -> Any:
        url = self._api.configuration.host + request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {"Accept": JSON, "Content-Type": request.content_type, "User-Agent": "bidlock-operator"}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, request.body)
        return await self._api.call_api(request.method, url, headers, request.body, _request_timeout=timeout)


async def _refusal(response: Any) -> Refused:
    said = json.loads(await response.read() or b"{}")
    return refusal(response.status, said, response.getheader("Retry-After") or "")


async def _lines(request: Request, response: aiohttp.ClientResponse, silence: float) -> AsyncIterator[dict[str, Any]]:
    while True:
        with _translated(request, silence):
            async with asyncio.timeout(silence):
                line = await response.content.readline()
            if not line:
                return
            found = json.loads(line)
        yield found


@contextmanager
def _translated(request: Request, seconds: float) -> Iterator[None]:
    """What the client raises, as what it means to us."""
    try:
        yield
    except TimeoutError:
        raise Unanswered(f"{request.method} {request.path}: no answer within {seconds:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unanswered(f"{request.method} {request.path}: {error or type(error).__name__}") from error
