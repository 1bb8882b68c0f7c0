"""Where the mode of the next attempt comes from. A process has no mode for life: the stores' windows decide, not it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bidlock.errors import ConfigurationError
from bidlock.modes import MODES, Mode


class ModeSource(Protocol):
    """Asked once per attempt; an attempt keeps the mode it began with."""

    def current(self) -> Mode:
        """The mode of the next attempt; cheap."""


class FixedMode:
    """A mode that stays, from the environment or an argument."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode

    def current(self) -> Mode:
        """The mode."""
        return self._mode


class FileMode:
    """A mode that a controller writes into a file, alone on a line. Read again whenever the file changed."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigurationError: it cannot be read, or names no mode.
        """
        self._path = path
        self._seen: tuple[int, int] = (0, 0)
        self._mode = self._read()

    def current(self) -> Mode:
        """The mode in the file; the last good one while it cannot be read (the stores refuse one that is out of date)."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen:
                self._mode, self._seen = self._read(), seen
        except (OSError, ConfigurationError):
            return self._mode
        return self._mode

    def _read(self) -> Mode:
        try:
            name = self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"the mode file {self._path} cannot be read: {error}; the controller writes it, see BIDLOCK_MODE_FILE"
            ) from None
        if name not in MODES:
            raise ConfigurationError(f"the mode file {self._path} names {name[:32]!r}, which is no mode; choose one of {', '.join(MODES)}")
        return MODES[name]
