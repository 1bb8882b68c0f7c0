"""What holders believed, written down, and what is wrong with it.

Every attempt of a workload is one `Interval` on one monotonic clock. It starts when the holder *learned* that it holds,
and ends when it *stopped believing*: before it sent its release, or at its own deadline. So an overlap is never an
artefact of slow messages: two holders believed at the same moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class Interval(NamedTuple):
    """One holder's belief.

    Attributes:
        posting: Key of the posting.
        holder: Who, for humans.
        token: Fencing token.
        start: When the holder learned that it holds, monotonic seconds.
        end: When it stopped believing, monotonic seconds.
        claimed: Whether it was told OK by a claim.
    """

    posting: str
    holder: str
    token: int
    start: float
    end: float
    claimed: bool = False


class Finding(NamedTuple):
    """Something that must not happen.

    Attributes:
        kind: `overlap`, `token` or `double claim`.
        earlier: The interval that started first.
        later: The one that contradicts it.
    """

    kind: str
    earlier: Interval
    later: Interval

    def __str__(self) -> str:
        return f"{self.kind}: {self.earlier} and then {self.later}"


def check(history: Iterable[Interval]) -> list[Finding]:
    """Everything that is wrong with a history; empty when nothing is."""
    by_posting: dict[str, list[Interval]] = defaultdict(list)
    for interval in history:
        by_posting[interval.posting].append(interval)
    return [finding for intervals in by_posting.values() for finding in _of_one_posting(intervals)]


def _of_one_posting(intervals: list[Interval]) -> list[Finding]:
    ordered = sorted(intervals, key=lambda interval: (interval.start, interval.end))
    claims = [interval for interval in ordered if interval.claimed]
    return [*_overlaps(ordered), *_regressions(ordered), *(Finding("double claim", one, two) for one, two in pairwise(claims))]


def _overlaps(ordered: list[Interval]) -> Iterable[Finding]:
    longest: Interval | None = None
    for interval in ordered:
        if longest and interval.start < longest.end:
            yield Finding("overlap", longest, interval)
        if longest is None or interval.end > longest.end:
            longest = interval


def _regressions(ordered: list[Interval]) -> Iterable[Finding]:
    highest: Interval | None = None
    for interval in ordered:
        if highest and interval.token <= highest.token:
            yield Finding("token", highest, interval)
        if highest is None or interval.token > highest.token:
            highest = interval
