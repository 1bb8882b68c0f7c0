"""Numbers of one run: medians, spreads and ratios. Pure.

Ratios are taken round by round, between measurements that lie seconds apart, and only then summarised: what the
machine does to one round it does to every contender in it.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


class Better(enum.StrEnum):
    """Which direction of a row is the good one."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the extremes of the rounds."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Summarise the rounds of one contender.

    Raises:
        ValueError: there are no rounds.
    """
    if not values:
        raise ValueError("no rounds to summarise")
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values to rank")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def advantage(ours: float, theirs: float, better: Better) -> float:
    """How many times better `ours` is; below 1 when it is worse.

    Raises:
        ValueError: a measurement is not positive, so that there is no ratio.
    """
    if ours <= 0 or theirs <= 0:
        raise ValueError(f"no ratio between {ours} and {theirs}")
    return ours / theirs if better is Better.HIGHER else theirs / ours


def advantages(ours: Sequence[float], theirs: Sequence[float], better: Better) -> Spread:
    """The spread of the ratios, taken round by round; who sat out the last rounds is compared in the first.

    Raises:
        ValueError: they have no round in common.
    """
    return spread([advantage(our, their, better) for our, their in zip(ours, theirs, strict=False)])
