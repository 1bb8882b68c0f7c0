"""buildah, with storage of its own in the cache: nothing of the system's containers is touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bidlock_kube import places
from bidlock_kube.images.running import run

MOST_LAYERS = 400
"""So many images, layers that are kept for the next build among them, are kept; then everything is built anew."""


def build(dockerfile: Path, context: Path, name: str, arguments: Mapping[str, str]) -> None:
    """Build an image; layers are kept by content. No network: whatever is installed comes from the context.

    Raises:
        KubeError: the build failed; the message has its last lines.
    """
    given = [part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")]
    _buildah("build", "--quiet", "--layers", "--isolation", "chroot", "--pull-never", *given, "-t", name, "-f", dockerfile, context)


def push(name: str, destination: str, *options: str) -> None:
    """Copy an image elsewhere: `oci:folder:reference` or `docker://registry/name:tag`."""
    _buildah("push", "--quiet", *options, name, destination)


def knows(name: str) -> bool:
    """Whether an image of this name was built and is still there."""
    return name in _buildah("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}").split()


def forget_when_large() -> None:
    """Begin with empty storage when too much has gathered: buildah cannot tell a useful old layer from another."""
    if _storage().exists() and len(_buildah("images", "--all", "--quiet", "--no-trunc").split()) > MOST_LAYERS:
        _buildah("rmi", "--all", "--force")
        shutil.rmtree(places.cache() / "images" / "layout", ignore_errors=True)


def driver() -> str:
    """`overlay`, or `vfs` (each layer a full copy: slower and larger) where the cache lies on an overlay itself."""
    return "vfs" if run(["stat", "-f", "-c", "%T", _storage().parent]).strip() == "overlayfs" else "overlay"


def _storage() -> Path:
    folder = places.cache() / "images" / "storage"
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _buildah(*arguments: str | Path) -> str:
    storage = _storage()
    # In a mount namespace of its own: what it mounts, and would leave when it is killed, is gone when it ends.
    own: list[str | Path] = ["--root", storage / driver(), "--runroot", storage / "run", "--storage-driver", driver()]
    return run(["unshare", "--mount", "buildah", *own, *arguments], environment={**os.environ, "CONTAINERS_CONF": str(_settings(storage))})


def _settings(storage: Path) -> Path:
    """Its settings: what it keeps about networks, which are not used, would else be left in /etc."""
    storage.mkdir(parents=True, exist_ok=True)
    file = storage / "containers.conf"
    file.write_text(f'[network]\nnetwork_config_dir = "{storage / "network"}"\n')
    return file
