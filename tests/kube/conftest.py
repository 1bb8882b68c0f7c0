"""A Go module of the tests' own: small enough to be built for a test, and built like Kubernetes is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidlock_kube.programs import Module, Program

GO_MOD = """module tiny.invalid/pins

go 1.24.0

require tiny.invalid/upstream v1.2.3

replace tiny.invalid/upstream => ./upstream
"""
MAIN = """package main

var version = "unstamped"

func main() { println(version) }
"""


@pytest.fixture(scope="session")
def go_cache(tmp_path_factory) -> Path:
    """A cache whose compiler results are shared by all tests: Go's own runtime is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache(go_cache, tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBE_ASSETS", raising=False)
    place = tmp_path / "cache" / "bidlock" / "kube"
    place.mkdir(parents=True)
    (place / "go").symlink_to(go_cache)
    return place


@pytest.fixture
def tiny(tmp_path) -> Program:
    """A program in an upstream module, pinned by a module like ours."""
    home = tmp_path / "modules"
    upstream = home / "tiny" / "upstream"
    (upstream / "cmd" / "tiny").mkdir(parents=True)
    (home / "tiny" / "go.mod").write_text(GO_MOD)
    (home / "tiny" / "go.sum").touch()
    (upstream / "go.mod").write_text("module tiny.invalid/upstream\n\ngo 1.24.0\n")
    (upstream / "cmd" / "tiny" / "main.go").write_text(MAIN)
    module = Module("tiny", "tiny.invalid/upstream", ("main.version={version}",), home)
    return Program("tiny", module, "tiny.invalid/upstream/cmd/tiny")
