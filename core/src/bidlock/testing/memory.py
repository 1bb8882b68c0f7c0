"""The harness of the memory backend: there is nothing to start, and every test gets a store of a new name."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import ClassVar

_NUMBERS = count(1)


class MemoryHarness:
    """See `bidlock.testing.harness.Harness`."""

    variants: ClassVar[tuple[str, ...]] = ("memory",)

    def __init__(self, directory: Path, variant: str) -> None:
        """A memory store needs no folder and has one variant."""

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to end."""

    def fresh_url(self) -> str:
        """URL of a store that nobody opened yet."""
        return f"memory://kit-{next(_NUMBERS)}"
