"""What the operator counts and measures, for Prometheus.

Bidders export their own figures (bids, skips by reason, lock latency); the operator never asks them, so none of that is
here. It says what it knows itself: its passes, its policies, and how the stores answer it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_POLICY = ("namespace", "policy")
_PASS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ANSWER_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What is shown of one policy.

    Attributes:
        phase: The phase its fleet is in.
        authority: `SQLite` or `Redis`; empty before the first look.
        transition_seconds: Age of the running transition; 0 when settled.
        bidders: Listed bidders by mode.
        redis: Buckets of Redis by state: `live`, `closed` or `unreachable`.
        conditions: Status by type.
    """

    phase: str = ""
    authority: str = ""
    transition_seconds: float = 0.0
    bidders: Mapping[str, int] = field(default_factory=dict)
    redis: Mapping[str, int] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """The operator's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.leader = Gauge("bidlock_operator_leader", "1 while this replica leads", registry=registry)
        self.passes = Histogram(
            "bidlock_operator_reconcile_seconds", "Time of one look, decision and act", _POLICY, buckets=_PASS_BUCKETS, registry=registry
        )
        self.errors = Counter(
            "bidlock_operator_reconcile_errors_total", "Passes that failed, by kind of error", (*_POLICY, "reason"), registry=registry
        )
        self.actions = Counter(
            "bidlock_operator_actions_total", "What was decided and done", (*_POLICY, "action", "result"), registry=registry
        )
        self.requests = Counter("bidlock_operator_api_requests_total", "Requests to the Kubernetes API", ("method",), registry=registry)
        self.answers = Histogram(
            "bidlock_operator_store_seconds",
            "Time until a store answered a look",
            (*_POLICY, "store"),
            buckets=_ANSWER_BUCKETS,
            registry=registry,
        )
        gauges = {
            "phase": ("Phase of the fleet", "phase"),
            "authority": ("Store that has the authority", "authority"),
            "bidders": ("Listed bidders by mode", "mode"),
            "redis_buckets": ("Buckets of Redis by state", "state"),
            "condition": ("Status of a condition: 1 for the present one", "type", "status"),
        }
        self._gauges = {
            name: Gauge(f"bidlock_policy_{name}", text, (*_POLICY, *labels), registry=registry) for name, (text, *labels) in gauges.items()
        }
        self._age = Gauge("bidlock_policy_transition_seconds", "Age of the running transition, 0 when settled", _POLICY, registry=registry)

    def show(self, namespace: str, policy: str, facts: PolicyFacts) -> None:
        """Show a policy as it is now."""
        self._forget_values(namespace, policy)
        self._age.labels(namespace, policy).set(facts.transition_seconds)
        for name, values in _rows(facts):
            for labels, value in values:
                self._gauges[name].labels(namespace, policy, *labels).set(value)

    def forget(self, namespace: str, policy: str) -> None:
        """A policy is gone: show nothing of it any more."""
        self._forget_values(namespace, policy)
        place = {"namespace": namespace, "policy": policy}
        for metric in (self._age, self.passes, self.errors, self.actions, self.answers):
            metric.remove_by_labels(place)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _forget_values(self, namespace: str, policy: str) -> None:
        for gauge in self._gauges.values():
            gauge.remove_by_labels({"namespace": namespace, "policy": policy})


def _rows(facts: PolicyFacts) -> Iterable[tuple[str, list[tuple[tuple[str, ...], float]]]]:
    yield "phase", [((facts.phase,), 1)] if facts.phase else []
    yield "authority", [((facts.authority,), 1)] if facts.authority else []
    yield "bidders", [((mode,), count) for mode, count in facts.bidders.items()]
    yield "redis_buckets", [((state,), count) for state, count in facts.redis.items()]
    yield "condition", [((kind, status), 1) for kind, status in facts.conditions.items()]
