"""Events of a policy, in `events.k8s.io/v1`: what happens again is counted in the event there is, and rarely told."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bidlock_operator import resources
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.errors import AlreadyExists, KubeError, NotFound
from bidlock_operator.kube.kinds import EVENT

log = structlog.stdlib.get_logger("bidlock_operator.events")

AGAIN_EVERY = 360.0
"""Seconds between two updates of one event's count."""

_LONGEST_NOTE = 1024


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth an event.

    Attributes:
        reason: One CamelCase word.
        action: What the operator did or waits for, one CamelCase word.
        note: For humans.
        warning: Whether somebody should look.
    """

    reason: str
    action: str
    note: str
    warning: bool = False


class Events:
    """Tells what happens to one policy. A lost event harms nothing, so no failure is passed on."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._told: dict[str, tuple[float, int]] = {}

    async def tell(self, body: Mapping[str, Any], happening: Happening) -> None:
        """Tell it, unless it was told just now."""
        name = _name(body, happening)
        last, count = self._told.get(name, (0.0, 0))
        self._told[name] = (last, count + 1)
        if count and time.monotonic() - last < AGAIN_EVERY:
            return
        self._told[name] = (time.monotonic(), count + 1)
        try:
            await self._send(body, happening, name, count + 1)
        except KubeError as error:
            log.debug("an event is not told", reason=happening.reason, error=str(error))

    async def _send(self, body: Mapping[str, Any], happening: Happening, name: str, count: int) -> None:
        namespace = str(body["metadata"]["namespace"])
        event = _event(body, happening, name)
        if count == 1:
            try:
                await self._kube.create(EVENT, namespace, event)
            except AlreadyExists:
                count = 2  # another operator told it, or this one before it was restarted
            else:
                return
        try:
            await self._kube.merge(EVENT, namespace, name, {"series": {"count": count, "lastObservedTime": _now()}})
        except NotFound:  # the server forgets events, after an hour by default
            await self._kube.create(EVENT, namespace, event)
            self._told[name] = (time.monotonic(), 1)


def _event(body: Mapping[str, Any], happening: Happening, name: str) -> dict[str, Any]:
    metadata = body["metadata"]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "eventTime": _now(),
        "reportingController": resources.GROUP + "/operator",
        "reportingInstance": f"{socket.gethostname()}-{os.getpid()}"[:128],
        "action": happening.action,
        "reason": happening.reason,
        "note": happening.note[:_LONGEST_NOTE],
        "type": "Warning" if happening.warning else "Normal",
        "regarding": {
            "apiVersion": resources.POLICY.api_version,
            "kind": resources.POLICY.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
    }


def _name(body: Mapping[str, Any], happening: Happening) -> str:
    told = "\0".join((str(body["metadata"]["uid"]), happening.reason, happening.action, happening.note))
    return f"{str(body['metadata']['name'])[:200]}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
