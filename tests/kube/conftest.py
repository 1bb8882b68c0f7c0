"""What the tests of the test bed share, first of all a Go module that is small enough to be built for a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
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


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a state, with a deadline in seconds."""

    def wait(condition: Callable[[], object], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return wait


@pytest.fixture
def gone() -> Callable[[psutil.Process], bool]:
    """Whether a process ended; one that only its parent has not asked about yet did."""

    def ended(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return ended
