"""Redis 7.0 out of Debian 12's package, unpacked into a cache: no root, and nothing of the system is changed.

apt works with private state and cache directories and only *downloads*; `dpkg -x` unpacks. Where there is no apt, or
its archive has another Redis, this flavour is left out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = (
    "redis-server",
    "redis-tools",  # the server's binary lives here; redis-server only links to it
    "libatomic1",
    "libcap2",
    "libgcrypt20",
    "libgpg-error0",
    "libjemalloc2",
    "liblz4-1",
    "liblzf1",
    "liblzma5",
    "libssl3",
    "libsystemd0",
    "libzstd1",
)
"""The server and every library it links to, except libc."""

VERSION = "7.0."


class NotFetchableError(Exception):
    """Redis 7.0 cannot be had on this machine."""


def fetch_debian() -> Path:
    """Have Redis 7.0 in the cache and return the folder it is unpacked in.

    Two processes may call this at once: one of them downloads, the other waits for it.

    Raises:
        NotFetchableError: there is no apt, no network, or another version.
    """
    target = cache_folder()
    if target.exists():
        return target
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise NotFetchableError("this machine has no apt-get and dpkg")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "redis-7.0.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _unpack_into(target)
    return target


def cache_folder() -> Path:
    """Where Redis 7.0 is, or would be, unpacked."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "bidlock" / "redis-7.0"


def server(folder: Path) -> Path:
    """The server's binary in the unpacked folder."""
    return folder / "usr" / "bin" / "redis-server"


def library_path(folder: Path) -> str:
    """Value of LD_LIBRARY_PATH with which the binary finds its libraries."""
    return ":".join(str(path) for base in ("usr/lib", "lib") for path in sorted((folder / base).glob("*-linux-*")))


def _unpack_into(target: Path) -> None:
    """Download and unpack beside the target, which then appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        work = Path(scratch)
        _download(work)
        for package in sorted(work.glob("*.deb")):
            _run(["dpkg", "-x", str(package), "unpacked"], work)
        _check(work / "unpacked")
        (work / "unpacked").rename(target)


def _download(work: Path) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    options = {
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",  # an empty one: what the system has installed plays no part
        "Dir::Cache": work / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", "-qq", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    _run([*apt, "update"], work)
    _run([*apt, "download", *PACKAGES], work)


def _check(unpacked: Path) -> None:
    """Refuse another Redis than 7.0: on another Debian release apt answers with that release's version."""
    version = _run([str(server(unpacked)), "--version"], unpacked, {"LD_LIBRARY_PATH": library_path(unpacked)})
    if f"v={VERSION}" not in version:
        raise NotFetchableError(f"the archive holds another Redis: {version.strip()}")


def _run(command: list[str], directory: Path, environment: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=directory, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=300, check=True
        )
    except subprocess.CalledProcessError as error:
        raise NotFetchableError(f"{command[0]} failed: {error.stderr.strip()[-400:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotFetchableError(f"{command[0]} failed: {error}") from error
    return done.stdout
