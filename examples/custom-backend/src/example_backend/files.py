"""JSON files that are replaced in one move and are on the disk when a call returns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bidlock.errors import BackendAmbiguous, BackendUnavailable

Record = dict[str, Any]


class Files:
    """Records by name, one file each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> Record | None:
        """A file's content; None when there is none."""
        try:
            found: Record = json.loads((self._path / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BackendUnavailable(f"{self._path} cannot be read: {error.strerror}") from error
        return found

    def write(self, name: str, content: Record) -> None:
        """Replace a file in one move, and return when the disk has it."""
        target, draft = self._path / f"{name}.json", self._path / "draft"
        try:
            with draft.open("w") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
            self._sync()
        except OSError as error:
            raise BackendAmbiguous(f"{target} may or may not have been written: {error.strerror}") from error

    def append(self, name: str, line: Record) -> None:
        """Add a line to a log."""
        try:
            with (self._path / name).open("a") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            raise BackendUnavailable(f"{self._path / name} cannot be written: {error.strerror}") from error

    def _sync(self) -> None:
        opened = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
