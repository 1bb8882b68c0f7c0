"""What a run ran on: machine, versions, server. A number without this is no number."""

from __future__ import annotations

import logging
import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path
from typing import Any

import redis

_PACKAGES = ("bidlock", "redis", "hiredis", "python-redis-lock")


def environment(url: str, directory: Path) -> dict[str, Any]:
    """Describe machine, versions and the server at `url`; SQLite files go below `directory`."""
    return {
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}",
        "load before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "server": _server(url),
        "sqlite": f"{sqlite3.sqlite_version} on {_file_system(directory)}",
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _server(url: str) -> str:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        info = client.info()
        name, version = info.get("server_name", "redis"), info.get("valkey_version") or info["redis_version"]
        durable = f"append-only file {'on' if info.get('aof_enabled') else 'off'}"
        return f"{name} {version}, {durable}, {info.get('io_threads_active', 0) or 'no'} active I/O threads"


def _file_system(directory: Path) -> str:
    """Type of the file system of `directory`, by the longest mount point above it."""
    mounts = Path("/proc/mounts")
    known = [line.split()[1:3] for line in mounts.read_text().splitlines()] if mounts.exists() else []
    above = [(len(point), kind) for point, kind in known if directory.resolve().is_relative_to(point)]
    return max(above, default=(0, "an unknown file system"))[1]


def quieten() -> None:
    """Keep warnings about a store that is not durable (here it is not meant to be) out of the table."""
    logging.getLogger("bidlock").setLevel(logging.ERROR)
