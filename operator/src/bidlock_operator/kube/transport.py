"""One request, one answer. Everything the operator asks of the API server passes `Transport.send`; nothing is retried here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

from bidlock_operator.kube.errors import Unanswered, refusal

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

    @property
    def host(self) -> str:
        """The server's address."""
        return str(self._api.configuration.host)

    async def send(self, request: Request) -> dict[str, Any]:
        """See `Transport.send`."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(request)
        except TimeoutError:
            raise Unanswered(f"{request.method} {request.path}: no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unanswered(f"{request.method} {request.path}: {error or type(error).__name__}") from error

    async def _send(self, request: Request) -> dict[str, Any]:
        url = self._api.configuration.host + request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {"Accept": JSON, "Content-Type": request.content_type, "User-Agent": "bidlock-operator"}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, request.body)
        response = await self._api.call_api(request.method, url, headers, request.body, _request_timeout=self._timeout)
        body = json.loads(await response.read() or b"{}")  # type: ignore[no-untyped-call]  # the client's answers have no types
        if response.status >= 400:
            raise refusal(response.status, body, response.getheader("Retry-After") or "")  # type: ignore[no-untyped-call]  # likewise
        return body if isinstance(body, dict) else {}
