"""Records as JSON files in a folder, under one `flock`. Standard library only.

    files:///var/lib/bids/
    └── bidlock/             the prefix
        ├── lock             held (flock) during every step, so that each step is atomic between processes
        ├── meta.json        owner, layout, admitted modes, limits, the counter of tokens
        ├── era.json         how often the machine was restarted since the folder was made
        ├── audit.jsonl      who broke whose lease, and why
        └── 3f9c….json       one posting: its lease and its marker

Every process on the host reads the same monotonic clock, so no setting of the date can revive or end a lease. That
clock starts anew with the machine; the era keeps the store's clock from going back, and every lease has ended then.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bidlock.backend import BackendConfig, Capabilities
from bidlock.errors import BackendUnavailable, ConfigurationError
from example_backend import files
from example_backend.files import Files

Record = files.Record
CAPABILITIES = Capabilities(scope="host", time_authority="server", durability="fsync", wait="poll")
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
ERA_MS = 1 << 42
"""Longer than any machine stays up: 139 years."""


class Step:
    """What can be done while the folder is locked. Nothing in it waits, so no step is cut in half."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def read(self, name: str) -> Record | None:
        """The record of this name; None when there is none."""
        return self._files.read(_file(name))

    async def write(self, name: str, record: Record) -> None:
        """Replace the record of this name, at once: files know no roll-back, so the caller's order matters."""
        self._files.write(_file(name), record)

    async def now_ms(self) -> int:
        """The host's monotonic clock, after all the eras before."""
        era = self._files.read("era") or {"boot": "", "number": 0}
        if era["boot"] != BOOT:
            era = {"boot": BOOT, "number": era["number"] + 1}
            self._files.write("era", era)
        return int(era["number"]) * ERA_MS + time.monotonic_ns() // 1_000_000

    async def audit(self, entry: Record) -> None:
        """Add a line to the log."""
        self._files.append("audit.jsonl", entry)


class Store:
    """The folder that a URL names."""

    def __init__(self, config: BackendConfig) -> None:
        self._timeout = config.timeout
        self._path = Path(config.address.path) / config.prefix
        self.name = str(self._path)

    async def open(self) -> None:
        """Make the folder, or say why it cannot be used."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"the folder {self._path} cannot be used: {error.strerror}; name another in the URL") from None

    async def close(self) -> None:
        """Nothing stays open between two steps."""

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Step]:
        """Keep every other process and task out. Nothing has happened yet when the lock is not to be had."""
        try:
            lock = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        except OSError as error:
            raise BackendUnavailable(f"{self._path} is out of reach: {error.strerror}") from error
        try:
            await self._take(lock)
            yield Step(Files(self._path))
        finally:
            os.close(lock)  # gives the lock back; so does the end of the process, whatever ends it

    async def _take(self, lock: int) -> None:
        end = time.monotonic() + self._timeout
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise BackendUnavailable(f"{self._path} stayed locked for {self._timeout:g} s") from None
                await asyncio.sleep(0.001)


def _file(name: str) -> str:
    return name if name == "meta" else hashlib.sha256(name.encode()).hexdigest()
