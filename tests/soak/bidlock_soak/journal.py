"""What every process of a soak writes down: one file each, one JSON line per fact, only ever appended.

A line is one write, so whoever is killed leaves whole lines. Times are those of the machine's one monotonic clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """One process's file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, fact: str, *, sure: bool = False, **details: Any) -> None:
        """Append one line.

        Args:
            fact: What kind of fact.
            sure: Return only when the disk has it.
            **details: What is to be said about it.
        """
        os.write(self._file, json.dumps({"fact": fact, **details}).encode() + b"\n")
        if sure:
            os.fsync(self._file)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The facts of one file, in the order they were written."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


class Tail:
    """Counts how often a fact was written, looking only at what came since the last look."""

    def __init__(self, folder: Path, pattern: str, fact: str) -> None:
        self._folder = folder
        self._pattern = pattern
        self._needle = json.dumps({"fact": fact})[:-1].encode()
        self._seen: dict[Path, int] = {}
        self._count = 0

    def count(self) -> int:
        """How many by now, over all files."""
        for path in self._folder.glob(self._pattern):
            with path.open("rb") as file:
                file.seek(self._seen.get(path, 0))
                for line in file:
                    self._count += line.startswith(self._needle)
                self._seen[path] = file.tell()
        return self._count
