"""`bidlock demo`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bidlock_demo import feed, show, summary
from bidlock_demo.screen import Moving, Plain, Screen, Silent
from bidlock_demo.tally import Act, Report

PLAIN_WIDTH = 140
"""Columns of a table that no terminal limits."""

DOUBLED = 1
"""Exit code when the demo did not show what it promises."""

INTERRUPTED = 130


def demo(
    feed_file: Annotated[
        Path | None, typer.Option("--feed", help="Your own postings: JSON lines with marketplace, id, title, budget, posted_at.")
    ] = None,
    postings: Annotated[int, typer.Option(min=1, max=100_000, help="How many postings to make up (without --feed).")] = 300,
    bidders: Annotated[int, typer.Option(min=2, max=64, help="Processes that bid at a time.")] = 6,
    seed: Annotated[int, typer.Option(help="Chooses the made-up feed, each bidder's order of it, and who is killed.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print lines instead of a live table.")] = False,
) -> None:
    """One feed, many bidders, no double bid: watch it.

    Four acts over the same postings, with real processes: the seed's way (Redis if it answers, else SQLite) in which bids
    are doubled; bidlock over SQLite; bidlock over Redis; bidlock walking from SQLite to Redis and back. In bidlock's acts
    bidders are killed with SIGKILL at work, and so are Redis and the controller.

    Exit code 0 when bidlock had no duplicate bid and the seed's way had some; 1 when not; 130 after Ctrl-C.
    """
    offered = feed.load(feed_file) if feed_file else feed.generate(postings, seed)
    acts = show.programme(offered)
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        with _screen(console, acts, quiet=as_json, plain=plain) as screen:
            report = asyncio.run(show.perform(offered, acts, bidders=bidders, seed=seed, say=screen.say))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("stopped; every process of the demo has ended", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _publish(report, console, as_json=as_json)
    raise typer.Exit(0 if report.proven else DOUBLED)


def _screen(console: Console, acts: tuple[Act, ...], *, quiet: bool, plain: bool) -> Screen:
    if quiet:
        return Silent()
    return Plain(console) if plain or not console.is_terminal else Moving(console, acts)


def _publish(report: Report, console: Console, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2))
    else:
        summary.tell(report, console)
