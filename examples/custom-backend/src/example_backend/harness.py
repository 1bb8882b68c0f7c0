"""What the conformance kit needs to know about this backend: where an empty store is."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import ClassVar


class FilesHarness:
    """See `bidlock.testing.harness.Harness`. There is no server, so there is nothing to start, kill or cut off."""

    variants: ClassVar[tuple[str, ...]] = ("files",)

    def __init__(self, directory: Path, variant: str) -> None:  # noqa: ARG002 — there is one variant
        self._directory = directory
        self._numbers = count(1)

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to end."""

    def fresh_url(self) -> str:
        """A folder that does not exist yet."""
        return f"files://{self._directory}/{next(self._numbers)}"
