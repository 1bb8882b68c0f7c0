"""Built images on disk, as an OCI layout, and as a stream of what a node does not have yet.

Format: github.com/opencontainers/image-spec, `image-layout.md`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
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


def uncompress(name: str) -> None:
    """Have an image's layers as plain archives.

    Whatever it is told, buildah compresses what it pushes into a layout; but the layers that are there already it finds only by the
    digest of the plain archive. So a changed application would have its base and its dependencies compressed anew each time.
    """
    index = json.loads(_index().read_text())
    (entry,) = (one for one in index["manifests"] if one.get("annotations", {}).get(_NAME) == name)
    manifest = json.loads(_blob(entry["digest"]).read_text())
    plain = json.loads(_blob(manifest["config"]["digest"]).read_text())["rootfs"]["diff_ids"]
    before = {entry["digest"], *(layer["digest"] for layer in manifest["layers"])}
    manifest["layers"] = [_plain(layer, digest) for layer, digest in zip(manifest["layers"], plain, strict=True)]
    entry |= _put(json.dumps(manifest).encode())
    _replace(_index(), json.dumps(index).encode())
    for digest in before - {digest for one in _entries().values() for digest in _blobs(one)}:
        _blob(digest).unlink()


def _plain(layer: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """A layer's descriptor with the plain archive in its place."""
    if layer["digest"] != digest and not _blob(digest).exists():
        part = _blob(digest).with_suffix(".part")
        with gzip.open(_blob(layer["digest"])) as packed, part.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        part.rename(_blob(digest))
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": _blob(digest).stat().st_size}


def _put(content: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _replace(_blob(digest), content)
    return {"digest": digest, "size": len(content)}


def _replace(file: Path, content: bytes) -> None:
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.rename(file)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size = len(content)
    tar.addfile(about, io.BytesIO(content))


def _entries() -> Mapping[str, Mapping[str, Any]]:
    """The manifests' descriptors by image name."""
    manifests = json.loads(_index().read_text())["manifests"] if _index().exists() else []
    return {entry.get("annotations", {}).get(_NAME, ""): entry for entry in manifests}


def _index() -> Path:
    return folder() / "index.json"


def _blobs(entry: Mapping[str, Any]) -> list[str]:
    """Digests of a manifest, its configuration and its layers."""
    if not _blob(entry["digest"]).exists():
        return [entry["digest"]]
    manifest = json.loads(_blob(entry["digest"]).read_text())
    return [entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def _blob(digest: str) -> Path:
    return folder() / "blobs" / digest.replace(":", "/")
