"""Read a posting's creation stamp from the command line."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

PostedAt = Annotated[
    str | None,
    typer.Option("--posted-at", metavar="TIME", help="The marketplace's own creation stamp: 2026-03-01T12:00:00Z, or Unix seconds."),
]


def parse(text: str | None) -> datetime.datetime | float | None:
    """The moment, or None without one.

    Raises:
        typer.BadParameter: it is neither Unix seconds nor an ISO 8601 time with a zone.
    """
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is no moment; write 2026-03-01T12:00:00Z (with the zone) or Unix seconds", param_hint="--posted-at"
        )
    return moment
