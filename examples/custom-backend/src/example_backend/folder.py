"""A folder of JSON files that changes in atomic, durable steps."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bidlock.errors import BackendAmbiguous, BackendUnavailable, ConfigurationError

Record = dict[str, Any]


class Folder:
    """Files by name. Between taking the lock and giving it back callers do not await, so no step is cut in half."""

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = path
        self._timeout = timeout

    def make(self) -> None:
        """Make the folder, or say why it cannot be used."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"the folder {self.path} cannot be used: {error.strerror}; name another in the URL") from None

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Keep every other process and task out. Nothing has happened yet when it is not to be had."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        except OSError as error:
            raise BackendUnavailable(f"{self.path} is out of reach: {error.strerror}") from error
        try:
            await self._take(lock)
            yield
        finally:
            os.close(lock)  # gives the lock back; so does the end of the process, whatever ends it

    async def _take(self, lock: int) -> None:
        end = time.monotonic() + self._timeout
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise BackendUnavailable(f"{self.path} stayed locked for {self._timeout:g} s") from None
                await asyncio.sleep(0.001)

    def read(self, name: str) -> Record:
        """A file's content; empty when there is none."""
        try:
            found: Record = json.loads((self.path / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BackendUnavailable(f"{self.path} cannot be read: {error.strerror}") from error
        return found

    def write(self, name: str, content: Record) -> None:
        """Replace a file in one move, and return when the disk has it."""
        target, draft = self.path / f"{name}.json", self.path / "draft"
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
            with (self.path / name).open("a") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            raise BackendUnavailable(f"{self.path / name} cannot be written: {error.strerror}") from error

    def _sync(self) -> None:
        opened = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
