"""The only place that configures logging: a library leaves that decision to its host, a program has to take it."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict

from bidlock.cli.failures import redacted


def configure(*, debug: bool) -> None:
    """Send warnings (with `debug`, everything) to stderr, one line each (with a traceback where there is one)."""
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if debug else logging.WARNING, format="bidlock: %(message)s")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            one_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def one_line(_logger: object, _method: str, event: EventDict) -> str:
    """What happened, and its facts in brackets; never a password."""
    text, trace = str(event.pop("event", "")), str(event.pop("exception", ""))
    facts = ", ".join(f"{name} {value}" for name, value in event.items())
    return redacted(text + (f" ({facts})" if facts else "") + (f"\n{trace}" if trace else ""))
