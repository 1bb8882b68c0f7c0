"""Build what the cache does not have: once, whoever asks, and never half.

A result stands in `bin/<key>/<program>` in the cache and comes there by one rename, so who finds it has all of it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bidlock_kube import compiling, locking, places, recipes, toolchain
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say
from bidlock_kube.programs import Module, Program

NEEDED_BYTES = 8 * 2**30
"""Free space that all builds together take at most, with sources and intermediate results."""


def find(program: Program) -> Path:
    """Where the program is, or will be, with the pins, flags and Go of now."""
    go = toolchain.choose(program.module.go)
    return places.cache() / "bin" / recipes.of(program, go.version).key / program.name


def build(programs: Iterable[Program], *, say: Say) -> None:
    """Build those programs that are missing, module by module.

    Raises:
        KubeError: a build is not possible here, or failed.
    """
    missing: dict[Module, list[Program]] = {}
    for program in programs:
        if not find(program).exists():
            missing.setdefault(program.module, []).append(program)
    for module, wanted in missing.items():
        _build(module, wanted, say)


def _build(module: Module, programs: Sequence[Program], say: Say) -> None:
    staging = places.cache() / "staging"
    with locking.held(staging / f"{module.name}.lock", waiting_for=f"building {module.name}", say=say):
        missing = [program for program in programs if not find(program).exists()]
        if not missing:
            return
        _check_space(staging)
        go = toolchain.choose(module.go).command(say)
        with _workshop(staging, module) as folder:
            compiling.compile_into(folder, module, missing, go=go, log=places.cache() / "logs" / f"{module.name}.log", say=say)
            for program in missing:
                _publish(folder, program)


@contextmanager
def _workshop(staging: Path, module: Module) -> Iterator[Path]:
    """An empty folder for one build; what killed builds of this module left there is removed. The module's lock is held."""
    for left in staging.glob(f"{module.name}.*.part"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=staging, prefix=f"{module.name}.", suffix=".part") as folder:
        yield Path(folder)


def _publish(folder: Path, program: Program) -> None:
    """Move a whole folder into its place; an existing one is as good, since it has the same key."""
    place = find(program)
    whole = folder / f"{program.name}.whole"
    whole.mkdir()
    (folder / program.output).rename(whole / program.name)
    place.parent.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        whole.rename(place.parent)


def _check_space(folder: Path) -> None:
    if (free := shutil.disk_usage(folder).free) < NEEDED_BYTES:
        raise KubeError(
            f"building needs about {NEEDED_BYTES >> 30} GiB in {folder.parent}, which has {free >> 30} free; free some, or set XDG_CACHE_HOME"
        )
