"""Looks at the example marketplace while a fleet bids: how many bids, how many doubled, and the longest pause."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from urllib3.exceptions import HTTPError

from bidlock_kube.cluster import Cluster
from bidlock_kube.repeating import repeated

LOOK_AGAIN = 0.3
"""Seconds between two looks; the pauses it tells are exact to that."""


@dataclass
class Market:
    """The marketplace of a namespace.

    Attributes:
        cluster: Where it runs.
        namespace: Its namespace.
        seen: Bids at the last look.
        since: When they had become as many, on the monotonic clock.
        pauses: Seconds without a bid, by what went on meanwhile; the longest of each.
        during: What goes on now.
    """

    cluster: Cluster
    namespace: str
    seen: int = 0
    since: float = 0.0
    pauses: dict[str, float] = field(default_factory=dict)
    during: str = ""

    def stats(self) -> dict[str, Any]:
        """What it counts."""
        core = client.CoreV1Api(self.cluster.client)
        answer = core.connect_get_namespaced_service_proxy_with_path("marketplace:http", self.namespace, "stats", _preload_content=False)
        counted: dict[str, Any] = json.loads(answer.data)
        return counted

    def bids(self) -> list[dict[str, Any]]:
        """Every bid it wrote down."""
        text = self.cluster.kubectl("-n", self.namespace, "exec", "deployment/marketplace", "--", "cat", "/data/bids.jsonl")
        return [json.loads(line) for line in text.splitlines()]

    def begin(self, during: str) -> None:
        """Something else goes on from now."""
        self.during, self.since = during, time.monotonic()

    def look(self) -> None:
        """Count once."""
        with contextlib.suppress(client.ApiException, HTTPError, json.JSONDecodeError):  # the API server or its proxy is away for a moment
            bids = self.stats()["bids"]
            now = time.monotonic()
            if bids > self.seen:
                self.seen, self.since = bids, now
            self.pauses[self.during] = max(self.pauses.get(self.during, 0.0), now - self.since)


@contextlib.contextmanager
def watched(cluster: Cluster, namespace: str) -> Iterator[Market]:
    """Look at a marketplace while the block runs."""
    market = Market(cluster, namespace)
    market.begin("start")
    with repeated(market.look, LOOK_AGAIN):
        yield market
