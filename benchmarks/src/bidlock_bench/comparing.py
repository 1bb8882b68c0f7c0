"""Whether bidlock became slower since an earlier run, told by ratios: what the machine does to a run it does to both sides. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bidlock_bench.figures import Spread
from bidlock_bench.results import PRODUCT, Role, RowResult
from bidlock_bench.table import number

TOLERANCE = 0.10
"""A median ratio may fall by this share before it is called a regression, even when every round was worse than every round before."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A row in which bidlock lost ground.

    Attributes:
        row: Name of the row.
        against: The contender it is compared with: the raw floor where there is one, else the best peer.
        was: How many times better bidlock was in the earlier run.
        now: How many times better it is.
    """

    row: str
    against: str
    was: Spread
    now: Spread

    def __str__(self) -> str:
        fell = f"from {number(self.was.median)} × to {number(self.now.median)} × (every round below {number(self.was.low)} ×)"
        return f"{self.row}: against {self.against} bidlock fell {fell}"


def regressions(earlier: Mapping[str, Any], results: Sequence[RowResult]) -> list[Regression]:
    """The rows in which each round's ratio is below each of the earlier run's, and the median by more than the tolerance.

    Args:
        earlier: The JSON of a run, as `report.as_json` makes it.
        results: The run of now.
    """
    before = {row["name"]: row["contenders"] for row in earlier["rows"]}
    compared = [_compared(result, before[result.row.name]) for result in results if result.row.name in before]
    return [one for one in compared if one and one.now.high < one.was.low and one.now.median < (1 - TOLERANCE) * one.was.median]


def _compared(result: RowResult, before: Mapping[str, Any]) -> Regression | None:
    """The two ratios of a row; None when it has nobody to be measured against, now or then."""
    against = result.best(Role.FLOOR) or result.best(Role.PEER)
    if PRODUCT not in result.series or against is None or not (ratio := before.get(against, {}).get("ratio")):
        return None
    return Regression(result.row.name, against, Spread(ratio["median"], ratio["min"], ratio["max"]), result.advantage_over(against))
