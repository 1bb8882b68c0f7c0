"""What an image's build leaves behind is in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidlock_kube.images import buildah

pytestmark = pytest.mark.node  # buildah and root


def test_a_build_leaves_nothing_in_the_machines_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "context").mkdir()
    (tmp_path / "context/word").write_text("kept\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY word /word\n")
    before = sorted(Path("/etc").iterdir())

    buildah.build(tmp_path / "Dockerfile", tmp_path / "context", "localhost/left:1", {})

    assert buildah.knows("localhost/left:1")
    assert sorted(Path("/etc").iterdir()) == before
