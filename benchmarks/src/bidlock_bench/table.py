"""The run as a table for humans, plain text or Markdown alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bidlock_bench.figures import Spread, spread
from bidlock_bench.results import PRODUCT, Judgement, RowResult, judge

HEADERS = ("", "median", "min – max", "bidlock is better by (min – max)")


def number(value: float) -> str:
    """Three significant digits, with thousands separators: 25,300 · 41.2 · 0.834."""
    if value >= 1000:
        return f"{round(value, 3 - len(str(int(value)))):,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def cells(result: RowResult) -> list[tuple[str, str, str, str]]:
    """One line per contender: name, median, spread, how many times better bidlock is."""
    return [(name, *_spread(spread(series.rounds)), _ratio(name, result)) for name, series in result.series.items()]


def verdict(judgement: Judgement) -> str:
    """One sentence on one aim."""
    if judgement.met:
        return f"met: {judgement.aim}; {number(judgement.by)} × the aim"
    return f"missed: {judgement.aim}; measured {number(judgement.measured)}, that is {judgement.by:.0%} of the aim"


def plain(environment: Mapping[str, Any], results: Sequence[RowResult]) -> str:
    """The whole run as text."""
    return "\n".join([header(environment), *(_block(result) for result in results)])


def markdown(environment: Mapping[str, Any], results: Sequence[RowResult]) -> str:
    """The whole run as Markdown."""
    return "\n".join([header(environment), *(_markdown_block(result) for result in results)])


def header(environment: Mapping[str, Any]) -> str:
    """What it ran on, in one line."""
    return "; ".join(f"{name} {value}" for name, value in environment.items() if value not in ("", None))


def _block(result: RowResult) -> str:
    lines = [HEADERS, *cells(result)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
    body = ["  " + _aligned(line, widths) for line in lines]
    return "\n".join([f"\n{result.row.title} [{result.row.unit}]", *body, *(f"  → {verdict(one)}" for one in judge(result))])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = line
    return "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]).rstrip()


def _markdown_block(result: RowResult) -> str:
    lines = [f"\n**{result.row.title}** [{result.row.unit}]\n", "| contender | " + " | ".join(HEADERS[1:]) + " |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(line) + " |" for line in cells(result)]
    return "\n".join([*lines, "", *(f"- {verdict(one)}" for one in judge(result))])


def _spread(of: Spread) -> tuple[str, str]:
    return number(of.median), f"{number(of.low)} – {number(of.high)}"


def _ratio(name: str, result: RowResult) -> str:
    if name == PRODUCT or PRODUCT not in result.series:
        return "–"
    ratio = result.advantage_over(name)
    return f"{number(ratio.median)} × ({number(ratio.low)} – {number(ratio.high)})"
