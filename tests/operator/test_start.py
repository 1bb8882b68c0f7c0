"""The operator as a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KOPF = (sys.executable, "-m", "kopf", "run", "-m", "bidlock_operator", "--all-namespaces")
SCRIPT = (sys.executable, "-m", "bidlock_operator")


def kubeconfig(path: Path, server: str) -> Path:
    path.write_text(
        f"""
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{token: none}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
    )
    return path


def start(command: tuple[str, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BIDLOCK", "KOPF", "KUBE"))}
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def closed_port():
    """A port that refuses connections for as long as the test runs: bound, never listening."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.fixture
def silent_port():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", [KOPF, SCRIPT], ids=["kopf run -m", "python -m"])
def test_an_unreachable_cluster_ends_the_process_with_one_line(command, tmp_path, closed_port):
    ended = start(command, KUBECONFIG=str(kubeconfig(tmp_path / "config", f"http://127.0.0.1:{closed_port}")))

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"the Kubernetes API at http://127.0.0.1:{closed_port} cannot be used" in ended.stderr


def test_a_silent_cluster_ends_the_process_after_the_timeout(tmp_path, silent_port):
    config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{silent_port}")

    ended = start(KOPF, KUBECONFIG=str(config), BIDLOCK_OPERATOR_API_TIMEOUT="0.2")

    assert ended.returncode == 1
    assert "no answer within 0.2 s" in ended.stderr


@pytest.mark.parametrize("text", [None, "nonsense: [", "kind: Config", "[]"], ids=["missing", "no YAML", "empty", "a list"])
def test_unusable_credentials_end_the_process_with_the_reason(text, tmp_path):
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)

    ended = start(KOPF, KUBECONFIG=str(path))

    assert ended.returncode == 1
    assert "no usable Kubernetes credentials" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("command", "code"), [(KOPF, 1), (SCRIPT, 2)], ids=["kopf run -m", "python -m"])
def test_an_invalid_setting_ends_the_process_with_its_name(command, code):
    ended = start(command, BIDLOCK_OPERATOR_LOG_FORMAT="xml")

    assert ended.returncode == code
    assert ended.stderr == "bidlock-operator: BIDLOCK_OPERATOR_LOG_FORMAT='xml': choose one of json, text\n"
