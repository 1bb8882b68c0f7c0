"""What was measured, and whether it meets its aims. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bidlock_bench.figures import Better, Spread, advantages, spread

PRODUCT = "bidlock"
"""Name of the contender that every ratio is taken against."""


class Role(enum.StrEnum):
    """What a contender is in the comparison."""

    PRODUCT = "product"
    PEER = "peer"
    ORIGINAL = "original"
    """The algorithm that the original bot used."""
    FLOOR = "floor"
    """The same scripts or statements with no library around them: what is physically there to be had."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of questions put to every contender.

    Attributes:
        name: Stable name, for `--only` and the JSON.
        title: What is measured, for humans.
        unit: Of every number in the row.
        better: Which direction is good.
        aims: What bidlock is meant to reach.
    """

    name: str
    title: str
    unit: str
    better: Better
    aims: tuple[Aim, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one contender in one row."""

    role: Role
    rounds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row with the rounds of everybody who took part in it."""

    row: Row
    series: Mapping[str, Series]

    @property
    def ours(self) -> Spread:
        """The product's own numbers."""
        return spread(self.series[PRODUCT].rounds)

    def advantage_over(self, name: str) -> Spread:
        """How many times better bidlock is than that contender, round by round."""
        return advantages(self.series[PRODUCT].rounds, self.series[name].rounds, self.row.better)

    def best(self, role: Role) -> str | None:
        """Name of the best contender of that role, by its median; None when nobody of that role took part."""
        names = [name for name, series in self.series.items() if series.role is role]
        direction = -1 if self.row.better is Better.HIGHER else 1
        return min(names, key=lambda name: direction * spread(self.series[name].rounds).median, default=None)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one aim.

    Attributes:
        aim: The aim in words.
        wanted: The number it asks for.
        measured: The number in its place.
        met: Whether it is met.
        by: How far off, as a factor: 1 is exactly the aim, below 1 is missed.
    """

    aim: str
    wanted: float
    measured: float
    met: bool
    by: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The product's median is at most (or at least) this."""

    limit: float

    def judge(self, result: RowResult) -> Judgement | None:
        """Compare the median with the limit."""
        higher = result.row.better is Better.HIGHER
        measured = result.ours.median
        by = measured / self.limit if higher else self.limit / measured
        aim = f"{'at least' if higher else 'at most'} {self.limit:,g} {result.row.unit}"
        return Judgement(aim, self.limit, measured, by >= 1, by)


@dataclass(frozen=True, slots=True)
class OverBestPeer:
    """The product is this many times better than the best peer."""

    factor: float

    def judge(self, result: RowResult) -> Judgement | None:
        """Compare with the best peer; None without one."""
        return _judge_ratio(f"{self.factor:g} × the best peer", self.factor, result, Role.PEER)


@dataclass(frozen=True, slots=True)
class OfTheFloor:
    """The product reaches this share of the raw floor."""

    share: float

    def judge(self, result: RowResult) -> Judgement | None:
        """Compare with the floor; None without one."""
        lower = result.row.better is Better.LOWER
        aim = f"at most {1 / self.share:.2g} × the raw floor" if lower else f"{self.share:.0%} of the raw floor"
        return _judge_ratio(aim, self.share, result, Role.FLOOR)


Aim = Bound | OverBestPeer | OfTheFloor


def _judge_ratio(aim: str, wanted: float, result: RowResult, role: Role) -> Judgement | None:
    name = result.best(role)
    if name is None:
        return None
    measured = result.advantage_over(name).median
    return Judgement(aim if role is Role.FLOOR else f"{aim} ({name})", wanted, measured, measured >= wanted, measured / wanted)


def judge(result: RowResult) -> Sequence[Judgement]:
    """What became of the row's aims; empty when bidlock itself did not take part."""
    if PRODUCT not in result.series:
        return ()
    return [judgement for aim in result.row.aims if (judgement := aim.judge(result)) is not None]
