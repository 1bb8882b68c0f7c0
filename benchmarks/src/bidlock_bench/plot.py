"""The run as one picture, in SVG: for every row, how many times better bidlock is than each contender. Pure.

Ratios and not figures, on one logarithmic axis for all rows: the ratio is what a run says about bidlock, the figure
says as much about the machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bidlock_bench.figures import Spread
from bidlock_bench.results import PRODUCT, Role, RowResult
from bidlock_bench.table import header, number

COLOURS = {Role.PEER: "#3b6ea5", Role.ORIGINAL: "#b5651d", Role.FLOOR: "#777777"}
LABELS, AXIS, RATIOS, LINE = 170, 440, 190, 20
"""Pixels: the column of names, the axis, the column of numbers, the height of a line."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic axis from 10**low to 10**high."""

    low: int
    high: int

    @classmethod
    def over(cls, ratios: Iterable[Spread]) -> _Scale:
        logs = [math.log10(value) for ratio in ratios for value in (ratio.low, ratio.high)]
        return cls(math.floor(min(logs, default=0.0)), max(1, math.ceil(max(logs, default=1.0))))

    def x(self, ratio: float) -> float:
        return LABELS + AXIS * (math.log10(ratio) - self.low) / (self.high - self.low)


def svg(environment: Mapping[str, Any], results: Sequence[RowResult]) -> str:
    """The whole run; rows that bidlock took no part in have no ratio and are left out."""
    rows = [(result.row.title, _ratios(result)) for result in results if PRODUCT in result.series]
    scale = _Scale.over(ratio for _, ratios in rows for _, _, ratio in ratios)
    top, body = 3 * LINE, list[str]()
    for title, ratios in rows:
        if ratios:
            body.append(_text(0, top, title, "font-weight='bold'"))
            body += [part for line, ratio in enumerate(ratios, 1) for part in _bar(scale, top + line * LINE, *ratio)]
            top += (len(ratios) + 2) * LINE
    head = [
        _text(0, LINE, "How many times better bidlock is: median of the rounds, from the smallest to the largest", "font-weight='bold'"),
        _text(0, 2 * LINE, header(environment), "font-size='9'"),
    ]
    frame = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{LABELS + AXIS + RATIOS}' height='{top}' font-family='sans-serif' font-size='12'>"
    )
    return "\n".join([frame, "<rect width='100%' height='100%' fill='white'/>", *head, *_grid(scale, top), *body, "</svg>"]) + "\n"


def _ratios(result: RowResult) -> list[tuple[str, Role, Spread]]:
    return [(name, series.role, result.advantage_over(name)) for name, series in result.series.items() if name != PRODUCT]


def _grid(scale: _Scale, height: int) -> list[str]:
    """A line per power of ten; the one at 1 is where nobody is better."""
    parts = []
    for power in range(scale.low, scale.high + 1):
        x, width = scale.x(10.0**power), 1.5 if power == 0 else 0.4
        parts.append(f"<line x1='{x:.0f}' x2='{x:.0f}' y1='{2.5 * LINE:.0f}' y2='{height - LINE}' stroke='#999' stroke-width='{width}'/>")
        parts.append(_text(x, height - 5, f"{10.0**power:g} ×", "text-anchor='middle' font-size='10'"))
    return parts


def _bar(scale: _Scale, y: int, name: str, role: Role, ratio: Spread) -> list[str]:
    start, end = sorted((scale.x(1.0), scale.x(ratio.median)))
    middle, colour = y - LINE / 4, COLOURS[role]
    return [
        _text(LABELS - 10, y, name, "text-anchor='end'"),
        f"<rect x='{start:.1f}' y='{middle - 5:.1f}' width='{end - start:.1f}' height='10' fill='{colour}' fill-opacity='0.5'/>",
        f"<line x1='{scale.x(ratio.low):.1f}' x2='{scale.x(ratio.high):.1f}' y1='{middle}' y2='{middle}' stroke='{colour}' stroke-width='2'/>",
        _text(LABELS + AXIS + 10, y, f"{number(ratio.median)} × ({number(ratio.low)} – {number(ratio.high)})", ""),
    ]


def _text(x: float, y: float, text: str, style: str) -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' {style}>{escape(text)}</text>"
