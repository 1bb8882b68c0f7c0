"""What the audience sees while the acts run: a live table on a terminal, plain lines elsewhere, nothing for programs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bidlock_demo.tally import Act, Phase

LAST = 4
"""How many of the latest sentences stand under the live table."""

COLUMNS = ("", "postings", "bids", "duplicates", "skipped", "bidders killed", "Redis restarts", "without a bid", "seconds")


class Screen(Protocol):
    """Where the show is told; a context manager around it."""

    def say(self, sentence: str) -> None:
        """Tell what happens."""

    def __enter__(self) -> Screen:
        """The show begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """It is over."""


class Silent:
    """For programs."""

    def say(self, sentence: str) -> None:
        """Keep quiet."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to clear away."""


class Plain(Silent):
    """One line for every sentence, with the seconds since the beginning."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()

    def say(self, sentence: str) -> None:
        """Print it."""
        self._console.print(f"[{time.monotonic() - self._began:5.1f} s] {sentence}", markup=False, highlight=False, soft_wrap=True)


class Moving:
    """The table of the acts, drawn anew four times a second, above the latest sentences."""

    def __init__(self, console: Console, acts: Sequence[Act]) -> None:
        self._acts = acts
        self._said: deque[str] = deque(maxlen=LAST)
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=4, transient=True)

    def say(self, sentence: str) -> None:
        """Put it under the table."""
        self._said.append(sentence)

    def __enter__(self) -> Moving:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def _draw(self) -> Group:
        return Group(table(self._acts), *(Text(f"  {sentence}", style="dim") for sentence in self._said))


def table(acts: Sequence[Act]) -> Table:
    """The acts, one a row."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(COLUMNS):
        drawn.add_column(column, justify="right" if number else "left", no_wrap=not number)
    for act in acts:
        drawn.add_row(*_cells(act), style="dim" if act.phase is Phase.WAITING else None)
    return drawn


def _cells(act: Act) -> list[str | Text]:
    duplicates = Text(str(act.duplicates), style="bold red" if act.duplicates else "bold green" if act.bids else "")
    return [
        f"{act.title} {act.where}".rstrip(),
        str(act.postings),
        str(act.bids),
        duplicates,
        str(act.skips.total()),
        str(act.kills),
        str(act.redis_restarts),
        str(act.without_bid.total()),
        f"{act.seconds:.1f}",
    ]
