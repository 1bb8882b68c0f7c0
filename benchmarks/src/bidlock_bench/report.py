"""The run as JSON. The schema is stable: fields are added, never renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bidlock_bench.figures import Spread, spread
from bidlock_bench.results import PRODUCT, RowResult, Series, judge

SCHEMA = 1


def as_json(environment: Mapping[str, Any], results: Sequence[RowResult]) -> dict[str, Any]:
    """The whole run.

    Args:
        environment: Machine, versions and server.
        results: Every row that ran.

    Returns:
        `{schema, environment, rows: [{name, title, unit, better, contenders: {name: {role, rounds, median, min, max,
        ratio: {median, min, max}}}, aim, aims: [{aim, wanted, measured, met, by}], met}]}`. `ratio` says how many times
        better bidlock is. `aim` and `met` sum up `aims`; `met` is null for a row without one.
    """
    return {"schema": SCHEMA, "environment": dict(environment), "rows": [_row(result) for result in results]}


def _row(result: RowResult) -> dict[str, Any]:
    row, judgements = result.row, judge(result)
    return {
        "name": row.name,
        "title": row.title,
        "unit": row.unit,
        "better": row.better.value,
        "contenders": {name: _contender(name, series, result) for name, series in result.series.items()},
        "aim": "; ".join(judgement.aim for judgement in judgements) or None,
        "aims": [asdict(judgement) for judgement in judgements],
        "met": all(judgement.met for judgement in judgements) if judgements else None,
    }


def _contender(name: str, series: Series, result: RowResult) -> dict[str, Any]:
    ratio = _spread(result.advantage_over(name)) if PRODUCT in result.series else None
    return {"role": series.role.value, "rounds": list(series.rounds), **_spread(spread(series.rounds)), "ratio": ratio}


def _spread(of: Spread) -> dict[str, float]:
    return {"median": of.median, "min": of.low, "max": of.high}
