"""`bidlock bench`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import redis
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bidlock.cli.exit_codes import ExitCode
from bidlock.cli.failures import redacted
from bidlock_bench import comparing, plot, running, table
from bidlock_bench.report import SCHEMA, as_json
from bidlock_bench.rows import WORKLOADS
from bidlock_bench.stage import Workload
from bidlock_redis.testing.servers import ServerStartError, available


def bench(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few short rounds: under 90 seconds.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every number here, too.")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw the ratios here, as SVG.")] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The JSON of an earlier run: fail where bidlock lost ground to the same contender.", exists=True),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="ROW", help="Measure only this row; can be given again.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, max=3600, help="How long each row measures.")] = None,
    url: Annotated[str, typer.Option(metavar="URL", help="A Redis or Valkey server of your own; without it one is started.")] = "",
    flavour: Annotated[str, typer.Option(help="Which server to start.")] = "valkey-9.1",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
) -> None:
    """Measure bidlock, its peers, the original algorithm and the raw floor, side by side in one run.

    Contenders take turns on one server, round after round. Ratios are taken round by round; trust them before the
    absolute numbers, which say as much about the machine. Rows know their aims and say whether they are met.
    """
    workloads, earlier = _chosen(only or []), _read(against) if against else None
    if not url and flavour not in available():
        known = ", ".join(available()) or "none"
        raise typer.BadParameter(
            f"no {flavour} on this machine, which has: {known}. Name a server of your own with --url.", param_hint="--flavour"
        )
    plan = running.QUICK if quick else running.FULL
    if seconds is not None:
        plan = replace(plan, seconds=seconds)
    outcome = _run(workloads, plan, url, flavour)
    outcome.results = [result for result in outcome.results if not only or result.row.name in only]
    typer.echo((table.markdown if markdown else table.plain)(outcome.environment, outcome.results))
    if json_file:
        json_file.write_text(json.dumps(as_json(outcome.environment, outcome.results), indent=2, ensure_ascii=False) + "\n")
    if plot_file:
        plot_file.write_text(plot.svg(outcome.environment, outcome.results))
    worse = comparing.regressions(earlier, outcome.results) if earlier else []
    for failure in outcome.failures:
        typer.echo(f"{failure.contender} broke in {', '.join(failure.rows)}: {failure.error}", err=True)
    for regression in worse:
        typer.echo(f"slower than in {against}: {regression}", err=True)
    if outcome.failures or worse:
        raise typer.Exit(ExitCode.UNEXPECTED)


def _read(file: Path) -> dict[str, Any]:
    """An earlier run's JSON; told before anything is measured that it is none."""
    try:
        earlier: dict[str, Any] = json.loads(file.read_text())
        if earlier["schema"] == SCHEMA:
            return earlier
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise typer.BadParameter(f"{file} is no JSON that `bidlock bench --json` wrote", param_hint="--against")


def _chosen(only: Sequence[str]) -> list[Workload]:
    known = {row.name: workload for workload in WORKLOADS for row in workload.rows}
    if unknown := [name for name in only if name not in known]:
        raise typer.BadParameter(f"no row {', '.join(unknown)}; there are {', '.join(known)}", param_hint="--only")
    return [workload for workload in WORKLOADS if not only or any(row.name in only for row in workload.rows)]


def _run(workloads: Sequence[Workload], plan: running.Plan, url: str, flavour: str) -> running.Outcome:
    try:
        with running.stage(plan, url, flavour) as stage, _progress() as announce:
            return asyncio.run(running.run(workloads, stage, announce))
    except ServerStartError as error:
        typer.echo(f"{error}\nOr name a server of your own with --url.", err=True)
        raise typer.Exit(ExitCode.CONFIGURATION) from error
    except (redis.RedisError, OSError) as error:
        typer.echo(redacted(f"the server of the run does not answer as it should: {error}"), err=True)
        raise typer.Exit(ExitCode.UNREACHABLE) from error


@contextmanager
def _progress() -> Iterator[Callable[[str, str], None]]:
    """A line that moves when somebody looks, and nothing otherwise: it would cost what is being measured."""
    if not sys.stderr.isatty():
        yield lambda _title, _turn: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=2) as progress:
        task = progress.add_task("starting")
        yield lambda title, turn: progress.update(task, description=f"{title}: {turn}")
