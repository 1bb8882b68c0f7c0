"""What was asked of the API server, by whom, and what it said: its audit log."""

from __future__ import annotations

import json
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError

SETTLE_SECONDS = 10.0
"""How long a request may take to be in the log."""

_MARK = "bidlock-kube-mark"

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered; a watch, once it began.

    Attributes:
        verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
        resource: Plural, with the subresource: `pods`, `deployments/scale`.
        namespace: Empty for what has none.
        name: Empty for what has none.
        user: For example `system:serviceaccount:default:operator`.
        agent: The client's User-Agent.
        code: Of the answer: 200, 403, 409 …
        uri: Path and query, as asked.
        body: What a write sent; None for reads and for what is kept out of the log.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    user: str
    agent: str
    code: int
    uri: str
    body: Mapping[str, Any] | None

    @property
    def writes(self) -> bool:
        """Whether it asked to change something."""
        return self.verb in WRITES


@dataclass(frozen=True, slots=True)
class Audit:
    """The requests of one namespace, from now on.

    Attributes:
        namespace: Empty for all of them.
        start: Where in the log it begins, in bytes.
    """

    cluster: Cluster
    namespace: str = ""
    start: int = 0

    @classmethod
    def now(cls, cluster: Cluster, namespace: str = "") -> Audit:
        """Requests that are answered from now on.

        Raises:
            KubeError: an external cluster keeps its log to itself.
        """
        start = _log(cluster).stat().st_size
        _settle(cluster, start)
        return cls(cluster, namespace, _log(cluster).stat().st_size)

    def requests(self) -> list[Request]:
        """Every request that was answered before this call, in the order of the answers.

        Raises:
            KubeError: the API server does not write its log.
        """
        _settle(self.cluster, self.start)
        requests = [_read(event) for event in _events(self.cluster, self.start)]
        return [one for one in requests if self.namespace in ("", one.namespace) and _MARK not in one.uri]

    def since(self) -> Audit:
        """The same from now on: to see what happens next, or that nothing does."""
        return Audit.now(self.cluster, self.namespace)


def _settle(cluster: Cluster, start: int) -> None:
    """Ask for something nobody else asks for, and wait until it is in the log: then all before it is, too."""
    mark = f"{_MARK}={uuid.uuid4().hex}"
    client.CoreV1Api(cluster.client).list_namespace(label_selector=mark)
    deadline = time.monotonic() + SETTLE_SECONDS
    while not any(urllib.parse.quote(mark) in event["requestURI"] for event in _events(cluster, start)):
        if time.monotonic() > deadline:
            raise KubeError(f"{_log(cluster)} lacks a request that was answered {SETTLE_SECONDS:.0f} s ago; is the disk full?")
        time.sleep(0.02)


def _events(cluster: Cluster, start: int) -> Iterator[Mapping[str, Any]]:
    with _log(cluster).open("rb") as log:
        log.seek(start)
        for line in log:
            if line.endswith(b"\n"):  # the last one may be half written
                yield json.loads(line)


def _log(cluster: Cluster) -> Path:
    if not cluster.audit:
        raise KubeError("an external cluster keeps its audit log to itself; unset BIDLOCK_KUBE to start one here")
    return cluster.audit


def _read(event: Mapping[str, Any]) -> Request:
    about = event.get("objectRef", {})
    resource = "/".join(filter(None, (about.get("resource", ""), about.get("subresource", ""))))
    return Request(
        verb=event["verb"],
        resource=resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        user=event["user"]["username"],
        agent=event.get("userAgent", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        uri=event["requestURI"],
        body=event.get("requestObject"),
    )
