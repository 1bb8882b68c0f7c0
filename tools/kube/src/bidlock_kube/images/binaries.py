"""Where programs that go into an image are found on this machine: `built:NAME`, `wheel:DISTRIBUTION` or `path:NAME`."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from bidlock_kube.assets import Assets
from bidlock_kube.errors import KubeError


def find(source: str, name: str) -> Path:
    """The program of this name from that source.

    Raises:
        KubeError: it is not there, with the remedy.
    """
    kind, _, of = source.partition(":")
    if kind == "built":
        return Assets.of(of)[of]
    found = _in_wheel(of, name) if kind == "wheel" else shutil.which(of)
    if found is None:
        raise KubeError(f"{name} is missing: {'run `make setup`' if kind == 'wheel' else f'apt-get install {of}'}")
    return Path(found)


def _in_wheel(distribution: str, name: str) -> Path | None:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == name), None)
