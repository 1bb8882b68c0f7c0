"""The wheels an image is made of: foreign ones downloaded by their hashes, our own built; both once per content."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from packaging.utils import canonicalize_name

from bidlock_kube import places
from bidlock_kube.images import requirements
from bidlock_kube.images.running import run

_GLIBC = (36, 28, 17)
"""Debian 12's, and the two that most wheels are built for; minor versions of glibc 2."""


def foreign(names: Iterable[str], checkout: Path, python: str) -> Path:
    """A folder of wheels of these distributions, for Linux and this Python, pinned by the checkout's lock."""
    pinned = requirements.pins(checkout / "requirements.lock")
    lines = "\n".join(sorted(pinned[name] for name in names)) + "\n"
    place = places.cache() / "images" / "wheels" / digest(f"{python}\n{platform.machine()}\n{lines}")
    with _made(place) as folder:
        if folder:
            _download(lines, folder, python)
    return place


def own(member: Path) -> Path:
    """The wheel of a workspace member as it is now."""
    place = places.cache() / "images" / "members" / f"{member.name}-{content(member)}"
    with _made(place) as folder:
        if folder:
            run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=member)
    return next(place.glob("*.whl"))


def members(checkout: Path) -> Mapping[str, Path]:
    """The workspace's members by distribution."""
    globs = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    files = [file for pattern in globs for file in sorted(checkout.glob(f"{pattern}/pyproject.toml"))]
    return {canonicalize_name(tomllib.loads(file.read_text())["project"]["name"]): file.parent for file in files}


def content(folder: Path) -> str:
    """A digest of what goes into a member's wheel."""
    files = [folder / "pyproject.toml", folder / "README.md", *sorted((folder / "src").rglob("*"))]
    seen = [file for file in files if file.is_file() and "__pycache__" not in file.parts]
    return digest("\n".join(f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in seen))


def digest(text: str) -> str:
    """A short digest for names of folders and tags."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _download(lines: str, folder: Path, python: str) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text(lines)
    tags = [f"manylinux_2_{minor}_{platform.machine()}" for minor in _GLIBC]
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    aim = ["--python-version", python, *(part for tag in tags for part in ("--platform", tag))]
    run([*fetch, *aim, "--require-hashes", "-d", folder, "-r", wanted])
    wanted.unlink()


@contextmanager
def _made(place: Path) -> Iterator[Path | None]:
    """A folder to fill, which then becomes `place` by one rename; None when somebody filled it already."""
    if place.exists():
        yield None
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making.") as scratch:
        folder = Path(scratch) / "whole"
        folder.mkdir()
        yield folder
        if not place.exists():
            shutil.move(folder, place)
