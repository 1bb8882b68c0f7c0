"""Counts what is asked of the API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from prometheus_client import Counter

from bidlock_operator.kube.transport import Request, Transport


class Counting:
    """A transport that counts each request by its method; a watch as `WATCH`."""

    def __init__(self, transport: Transport, requests: Counter) -> None:
        self._transport = transport
        self._requests = requests

    async def send(self, request: Request) -> dict[str, Any]:
        """See `Transport.send`."""
        self._requests.labels(request.method).inc()
        return await self._transport.send(request)

    def follow(self, request: Request, silence: float) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        """See `Transport.follow`."""
        self._requests.labels("WATCH").inc()
        return self._transport.follow(request, silence)
