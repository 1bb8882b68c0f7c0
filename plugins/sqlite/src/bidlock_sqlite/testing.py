"""A real SQLite store for the conformance kit."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import ClassVar


class SqliteHarness:
    """A folder of files; see `bidlock.testing.harness.Harness`.

    There is no server: nothing listens, nothing can be killed or paused apart from the clients themselves, and time is
    the machine's. So none of the optional powers exists here.
    """

    variants: ClassVar[tuple[str, ...]] = ("sqlite-file",)

    def __init__(self, directory: Path, variant: str) -> None:
        self._directory = directory / variant
        self._numbers = count(1)

    def start(self) -> None:
        """Make the folder."""
        self._directory.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Leave the files for whoever wants to look at them."""

    def fresh_url(self) -> str:
        """URL of a file that does not exist yet."""
        return f"sqlite:///{self._directory.resolve()}/store-{next(self._numbers)}.db"
