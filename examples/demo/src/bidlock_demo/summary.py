"""The end of the show in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console

from bidlock_demo.screen import table
from bidlock_demo.tally import Act, Report

WHY = {
    "burnt": "burnt: its bidder was killed after the claim and before the bid arrived; to bid again could be to bid twice",
    "unknown": "the bid got no clear answer, so nobody tries again",
    "rejected": "refused by the marketplace",
    "invalid": "the id is none (too long, for example)",
    "passed over": "not worth a bid (budget)",
    "skipped": "locked at the wrong moment, or not worth a bid",
}


def tell(report: Report, console: Console) -> None:
    """Print the summary; its last two lines are the result."""
    console.print(table((report.seed, *report.guarded)))
    for line in (*notes(report), "", *verdict(report)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def notes(report: Report) -> Iterator[str]:
    """Reasons and causes, one line each."""
    yield ""
    if report.broken_lines:
        yield f"feed: {report.broken_lines} broken lines were counted and skipped"
    for act in (report.seed, *report.guarded):
        yield from _of(act)


def verdict(report: Report) -> tuple[str, str]:
    """The two lines that it is all about."""
    return f"seed's way: {report.seed.duplicates} duplicate bids", f"bidlock: {report.duplicates} duplicate bids"


def _of(act: Act) -> Iterator[str]:
    if act.causes:
        yield f"{act.title}: duplicates by cause: {_counts(act.causes)}"
    if act.skips:
        yield f"{act.title}: tries without a bid: {_counts(act.skips)}"
    if act.walks:
        yield f"{act.title}: {act.walks} walks, the controller killed {act.controller_kills} times; bids by mode: {_counts(act.modes)}"
    for why, count in act.without_bid.items():
        yield f"{act.title}: {count} without a bid – {WHY.get(why, why)}"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
