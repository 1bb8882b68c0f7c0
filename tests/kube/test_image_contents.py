"""What goes into an image is decided by the lock, the image's Python, and content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from bidlock_kube.images import catalogue, contexts, layouts, requirements
from bidlock_kube.images.catalogue import CHECKOUT, Program

LOCK = """\
# made by a tool
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:aa11 \\
    --hash=sha256:bb22
    # via redis
Jinja2==3.1.6 \\
    --hash=sha256:cc33
"""


def test_a_pin_keeps_its_hashes_and_loses_its_marker(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)

    assert requirements.pins(lock) == {
        "async-timeout": "async-timeout==5.0.1 --hash=sha256:aa11 --hash=sha256:bb22",
        "jinja2": "Jinja2==3.1.6 --hash=sha256:cc33",
    }


@pytest.mark.parametrize(("python", "needed"), [("3.11", True), ("3.13", False)])
def test_the_images_python_decides_what_is_needed_not_ours(python, needed):
    assert ("async-timeout" in requirements.closure(["bidlock-redis"], python)) is needed


def test_an_extra_brings_what_it_asks_for():
    assert "typer" in requirements.closure(["bidlock[cli]"], "3.11")
    assert "typer" not in requirements.closure(["bidlock"], "3.11")


@pytest.mark.parametrize("role", catalogue.APPLICATIONS)
def test_the_lock_pins_everything_that_an_image_needs(role):
    pinned = requirements.pins(CHECKOUT / "requirements.lock")
    needed = requirements.closure(catalogue.CATALOGUE[role].distributions, contexts.PYTHON)

    assert not [name for name in needed if name not in pinned and not name.startswith("bidlock")]


def test_a_changed_file_a_changed_dockerfile_and_a_changed_base_each_change_the_tag(tmp_path):
    recipe = Program(tmp_path / "Dockerfile", (("program", "path:program"),))
    recipe.dockerfile.write_text("FROM scratch\n")
    file = tmp_path / "program"
    file.write_text("1")
    tags = [contexts.key(recipe, {"program": file}, "base:1")]

    tags.append(contexts.key(recipe, {"program": file}, "base:2"))
    file.write_text("2")
    tags.append(contexts.key(recipe, {"program": file}, "base:2"))
    recipe.dockerfile.write_text("FROM busybox\n")
    tags.append(contexts.key(recipe, {"program": file}, "base:2"))

    assert len(set(tags)) == 4


def test_a_stream_leaves_out_what_the_node_has(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _lay("localhost/one:1")
    archive = io.BytesIO()

    layouts.stream(["localhost/one:1"], {"sha256:layer"}, archive)

    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        assert tar.getnames() == ["oci-layout", "index.json", "blobs/sha256/manifest", "blobs/sha256/config"]


def test_an_image_without_one_of_its_layers_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _lay("localhost/one:1")
    assert layouts.holds("localhost/one:1")

    (layouts.folder() / "blobs/sha256/layer").unlink()

    assert not layouts.holds("localhost/one:1")


def test_layers_that_were_pushed_compressed_are_kept_as_plain_archives(tmp_path, monkeypatch):
    """By their digest the next push finds them, and does not compress them again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    packed, plain = _put(gzip.compress(b"an archive")), f"sha256:{hashlib.sha256(b'an archive').hexdigest()}"
    config = _put(json.dumps({"rootfs": {"diff_ids": [plain]}}).encode())
    manifest = _put(json.dumps({"config": {"digest": config}, "layers": [{"digest": packed}]}).encode())
    _index(manifest, "localhost/one:1")

    layouts.uncompress("localhost/one:1")

    archive = io.BytesIO()
    layouts.stream(["localhost/one:1"], set(), archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        names = [name.rpartition("/")[2] for name in tar.getnames()[2:]]
        contents = [tar.extractfile(name).read() for name in tar.getnames()[2:]]
    assert all(name == hashlib.sha256(content).hexdigest() for name, content in zip(names, contents, strict=True))
    assert contents[2] == b"an archive"
    assert layouts.holds("localhost/one:1")
    assert not (layouts.folder() / "blobs" / packed.replace(":", "/")).exists()


def _lay(name):
    blobs = layouts.folder() / "blobs/sha256"
    blobs.mkdir(parents=True)
    manifest = {"config": {"digest": "sha256:config"}, "layers": [{"digest": "sha256:layer"}]}
    for digest, content in {"manifest": json.dumps(manifest), "config": "{}", "layer": "data"}.items():
        (blobs / digest).write_text(content)
    _index("sha256:manifest", name)


def _put(content):
    digest = hashlib.sha256(content).hexdigest()
    blobs = layouts.folder() / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / digest).write_bytes(content)
    return f"sha256:{digest}"


def _index(manifest, name):
    entry = {"digest": manifest, "annotations": {"org.opencontainers.image.ref.name": name}}
    (layouts.folder() / "index.json").write_text(json.dumps({"manifests": [entry]}))
