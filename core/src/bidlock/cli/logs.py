"""The only place that configures logging: a library leaves that decision to its host, a program has to take it."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, debug: bool) -> None:
    """Send warnings (with `debug`, everything) to stderr, one line each."""
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if debug else logging.WARNING, format="bidlock: %(message)s")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
