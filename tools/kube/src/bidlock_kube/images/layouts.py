"""Built images on disk, as an OCI layout, and as a stream of what a node does not have yet.

Format: github.com/opencontainers/image-spec, `image-layout.md`.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from bidlock_kube import places

_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"


def folder() -> Path:
    """The layout that all images share, and with them their common layers."""
    return places.cache() / "images" / "layout"


def holds(name: str) -> bool:
    """Whether an image of this name is in the layout, with all of its blobs."""
    entry = _entries().get(name)
    return entry is not None and all(_blob(digest).exists() for digest in _blobs(entry))


def stream(names: Iterable[str], without: Container[str], into: IO[bytes]) -> None:
    """Write an archive of these images that leaves out the blobs `without`: a node that has them does not miss them."""
    entries = _entries()
    chosen = [{**entries[name], "annotations": {_CONTAINERD_NAME: name, _NAME: name}} for name in names]
    with tarfile.open(fileobj=into, mode="w|") as tar:
        _add(tar, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        _add(tar, "index.json", json.dumps({"schemaVersion": 2, "manifests": chosen}).encode())
        for digest in dict.fromkeys(digest for entry in chosen for digest in _blobs(entry)):
            if digest not in without:
                tar.add(_blob(digest), f"blobs/{digest.replace(':', '/')}")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size = len(content)
    tar.addfile(about, io.BytesIO(content))


def _entries() -> Mapping[str, Mapping[str, Any]]:
    """The manifests' descriptors by image name."""
    index = folder() / "index.json"
    manifests = json.loads(index.read_text())["manifests"] if index.exists() else []
    return {entry.get("annotations", {}).get(_NAME, ""): entry for entry in manifests}


def _blobs(entry: Mapping[str, Any]) -> list[str]:
    """Digests of a manifest, its configuration and its layers."""
    if not _blob(entry["digest"]).exists():
        return [entry["digest"]]
    manifest = json.loads(_blob(entry["digest"]).read_text())
    return [entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def _blob(digest: str) -> Path:
    return folder() / "blobs" / digest.replace(":", "/")
