"""An operator that is struck at a chosen request: nothing it knew survives, and it begins again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from bidlock_operator.kube.transport import Request, Transport

_NAMESPACE = re.compile(r"/namespaces/([^/]+)/")


class Crashed(Exception):
    """Struck here. The loop of a policy throws away everything it kept, as the death of the process would."""


@dataclass
class Strikes:
    """Where to strike, by namespace.

    Attributes:
        at: Number of the request, from 1.
        after: Whether the request is carried out before.
        seen: Requests so far.
        struck: Namespaces in which it has happened.
    """

    at: dict[str, int] = field(default_factory=dict)
    after: dict[str, bool] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    struck: dict[str, str] = field(default_factory=dict)

    def transport(self, transport: Transport, counter: Any) -> Transport:
        """In place of `bidlock_operator.kube.counting.Counting`."""
        return _Striking(transport, self)


class _Striking:
    def __init__(self, transport: Transport, strikes: Strikes) -> None:
        self._transport = transport
        self._strikes = strikes

    async def send(self, request: Request) -> dict[str, Any]:
        """Carry a request, unless it is the one."""
        found = _NAMESPACE.search(request.path + "/")
        namespace = found[1] if found else ""
        self._strikes.seen[namespace] += 1
        if self._strikes.at.get(namespace) != self._strikes.seen[namespace]:
            return await self._transport.send(request)
        self._strikes.struck[namespace] = f"{request.method} {request.path}"
        if self._strikes.after[namespace]:
            await self._transport.send(request)
        raise Crashed(f"at request {self._strikes.seen[namespace]}: {request.method} {request.path}")

    def follow(self, request: Request, silence: float) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        """Watches are not struck: they change nothing."""
        return self._transport.follow(request, silence)
