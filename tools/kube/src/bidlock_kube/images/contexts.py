"""Build contexts: the folder that a Dockerfile copies from, with everything in it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bidlock_kube.images import binaries, debian, requirements, wheels
from bidlock_kube.images.catalogue import CHECKOUT, Application, Base, Recipe

PYTHON = "3.11"
"""The Python of the test base, which is Debian 12's."""


def collect(recipe: Recipe, python: str = PYTHON) -> Mapping[str, Path]:
    """The files of a recipe's context: name inside, and where each is now; makes what is missing.

    Raises:
        KubeError: something cannot be had.
    """
    if isinstance(recipe, Application):
        return _application(recipe, python)
    if isinstance(recipe, Base):
        return {"rootfs.tar": debian.rootfs(recipe.packages)}
    return {name: binaries.find(source, name) for name, source in recipe.files}


def lay(files: Mapping[str, Path], folder: Path) -> None:
    """Lay the files out in an empty folder, with one time stamp, since some builders look at it."""
    for name, file in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
        os.utime(target, (0, 0))


def renew(files: Mapping[str, Path], folder: Path) -> None:
    """Lay the files out in a folder that may hold an older context."""
    shutil.rmtree(folder, ignore_errors=True)
    lay(files, folder)


def key(recipe: Recipe, files: Mapping[str, Path], base: str) -> str:
    """What an image's tag is: a digest of its Dockerfile, its base and all of its files."""
    lines = [base, recipe.dockerfile.read_text(), *(f"{name} {_digest(files[name])}" for name in sorted(files))]
    return wheels.digest("\n".join(lines))[:12]


def _application(recipe: Application, python: str) -> Mapping[str, Path]:
    mine = wheels.members(CHECKOUT)
    needed = requirements.closure(recipe.distributions, python)
    files = {f"dependencies/{wheel.name}": wheel for wheel in wheels.foreign(needed - mine.keys(), CHECKOUT, python).glob("*.whl")}
    files |= {f"application/{wheel.name}": wheel for wheel in (wheels.own(mine[name]) for name in needed & mine.keys())}
    (installer,) = wheels.foreign({"pip"}, CHECKOUT, python).glob("*.whl")
    return {**files, "pip.whl": installer}


def _digest(file: Path) -> str:
    """Files of the cache carry their key in their folder's name; binaries do not, so everything is read."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
