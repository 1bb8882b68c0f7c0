"""How a program is built, as a value: the same recipe gives the same bytes, so its key names them in the cache."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import asdict, dataclass

from bidlock_kube.programs import Module, Program

GOFLAGS = "-mod=readonly -modcacherw -trimpath -buildvcs=false"
"""`-modcacherw`: `rm -rf` removes the cache, too."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a build gives.

    Attributes:
        pins: Digest of `go.mod` and `go.sum`.
        flags: Of the compiler and the linker.
        go: The version of Go.
        machine: Operating system and processor.
    """

    name: str
    version: str
    package: str
    pins: str
    flags: str
    go: str
    machine: str

    @property
    def key(self) -> str:
        """Names the result in the cache, for example `etcd-v3.6.16-0c1a5e2f9b7d`."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"


def of(program: Program, go: str) -> Recipe:
    """The recipe of a program with this version of Go."""
    module = program.module
    flags = f"CGO_ENABLED=0 {GOFLAGS} -ldflags={module.ldflags}"
    return Recipe(program.name, module.version, program.package, _pins(module), flags, go, f"{sys.platform}/{platform.machine()}")


def _pins(module: Module) -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((module.folder / name).read_bytes())
    return digest.hexdigest()
