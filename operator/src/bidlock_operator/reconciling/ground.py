"""What every policy's loop stands on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bidlock.plugins import Plugins
from bidlock_operator.kube.client import Kube
from bidlock_operator.manifests.platform import Platform
from bidlock_operator.metrics import Metrics
from bidlock_operator.observing.children import Cache
from bidlock_operator.observing.news import News
from bidlock_operator.preflight import Missing
from bidlock_operator.pulses import Pulse


@dataclass(frozen=True, slots=True)
class Paces:
    """How long a loop waits for news before it looks again, seconds.

    Attributes:
        rest: When nothing is awaited and both stores are well.
        awaited: While something is awaited that no watch tells: a lease that runs out, a store that answers again.
        error: After a failure, the first time; doubled with each.
        error_most: After many failures.
        deletion: How long the bidders get to end before the rest of a deleted policy goes.
    """

    rest: float = 30.0
    awaited: float = 0.2
    error: float = 0.5
    error_most: float = 10.0
    deletion: float = 60.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Shared by all policies.

    Attributes:
        kube: The API server.
        cache: What belongs to the policies.
        news: The policies, and who waits for what.
        metrics: Where figures go.
        platform: What children need to know.
        plugins: Where the stores' backends come from.
        epoch: The leader's epoch.
        leading: Whether this process may act now.
        turns: Learns that a policy's loop goes on.
        missing: Rights that the operator does without.
        paces: Waiting times.
    """

    kube: Kube
    cache: Cache
    news: News
    metrics: Metrics
    platform: Platform
    plugins: Plugins
    epoch: Callable[[], int]
    leading: Callable[[], bool]
    turns: Pulse
    missing: Callable[[], Collection[Missing]] = tuple
    paces: Paces = field(default_factory=Paces)
