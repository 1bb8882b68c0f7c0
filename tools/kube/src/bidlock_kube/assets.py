"""The binaries a cluster is made of: given ones, else those of the cache, built when they are missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bidlock_kube import building, programs
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say

VARIABLE = "KUBE_ASSETS"
"""Names a folder of binaries to use instead of building any."""


def say(line: str) -> None:
    """Tell a human, at once."""
    print(f"kube: {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Assets:
    """Programs that are there.

    >>> Assets.of("etcd")["etcd"]
    PosixPath('…/etcd')
    """

    paths: Mapping[str, Path]

    @classmethod
    def of(cls, *names: str, say: Say = say) -> Assets:
        """The programs of these names (see `bidlock_kube.programs`).

        Raises:
            KubeError: one is missing in the given folder, or cannot be built.
        """
        wanted = programs.named(names)
        if given := os.environ.get(VARIABLE):
            return cls(_given(Path(given), [program.name for program in wanted]))
        building.build(wanted, say=say)
        return cls({program.name: building.find(program) for program in wanted})

    def __getitem__(self, name: str) -> Path:
        """The path of a program that was asked for."""
        return self.paths[name]


def _given(folder: Path, names: Iterable[str]) -> Mapping[str, Path]:
    found = {name: (folder / name).absolute() for name in names}
    if missing := [name for name, path in found.items() if not os.access(path, os.X_OK) or path.is_dir()]:
        raise KubeError(
            f"{VARIABLE}={folder} has no executable {', '.join(missing)}; put it there, or unset {VARIABLE} to have everything built"
        )
    return found
