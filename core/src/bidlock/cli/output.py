"""Print an answer: JSON for programs, a table for a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def as_json(document: Any) -> None:
    """One JSON document on stdout; keys as documented in the reference."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def line(text: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(text + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under headings; drawn by rich on a terminal."""
    if sys.stdout.isatty():
        _draw(headings, rows)
    else:
        for text in plain_rows(headings, rows):
            line(text)


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, aligned."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        line(f"{name:<{width}}  {value}".rstrip())


def plain_rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as aligned text without any drawing."""
    everything = [list(headings), *map(list, rows)]
    widths = [max(len(row[column]) for row in everything) for column in range(len(headings))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in everything]


def _draw(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # costs 40 ms; most calls are not made by a human
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(cell.replace("[", r"\[") for cell in row))
    Console().print(drawn)
