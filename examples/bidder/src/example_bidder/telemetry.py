"""What the bot counts and what it logs."""

from __future__ import annotations

import json
import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the lock's latency, seconds: from a local Redis to one that is about to be given up."""


class Metrics:
    """The bot's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.bids = Counter("bidder_bids", "Bids by what became of them.", ["result"], registry=self.registry)
        self.skips = Counter("bidder_skips", "Tries that ended without a bid, by reason.", ["reason"], registry=self.registry)
        self.broken = Counter("bidder_broken_lines", "Lines of the feed that are no posting.", registry=self.registry)
        self.lock = Histogram(
            "bidder_lock_seconds", "From asking for the lock to having the claim.", buckets=BUCKETS, registry=self.registry
        )

    def text(self) -> bytes:
        """All of them in the Prometheus text format."""
        return generate_latest(self.registry)


def configure_logs(level: str) -> None:
    """One JSON object a line on standard output; bidlock's own, which go through the standard library's logging, too."""
    logging.basicConfig(stream=sys.stdout, level=level.upper(), format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=json.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
