"""What `bidlock agent` says to those who start it wrongly: one line, and an exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BIDLOCK = Path(sys.executable).with_name("bidlock")


def started(*arguments):
    return subprocess.run([BIDLOCK, "agent", *map(str, arguments)], capture_output=True, text=True, env=dict(os.environ), timeout=60)


@pytest.fixture
def files(tmp_path, token_file, path):
    path.touch()
    (tmp_path / "short").write_text("secret")
    (tmp_path / "text.db").write_text("no database at all" * 100)
    (tmp_path / "binary").write_bytes(b"\xff" * 40)
    return {"file": path, "token": token_file, "here": tmp_path, "cert": path}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--file {here}/missing.db --token-file {token}", "never creates one"),
        ("--file {here} --token-file {token}", "never creates one"),
        ("--file {here}/text.db --token-file {token}", "is not a SQLite database"),
        ("--file {file} --token-file {here}/nowhere", "cannot be read"),
        ("--file {file} --token-file {here}/short", "at least 16 characters"),
        ("--file {file} --token-file {here}/binary", "not plain text"),
        ("--file {file} --token-file {token} --listen 8741", "no host:port"),
        ("--file {file} --token-file {token} --listen :8741", "no host:port"),
        ("--file {file} --token-file {token} --listen host:99999", "no host:port"),
        ("--file {file} --token-file {token} --listen 127.0.0.1:{taken}", "cannot listen"),
        ("--file {file} --token-file {token} --tls-cert {cert}", "go together"),
        ("--file {file} --token-file {token} --tls-cert {cert} --tls-key {cert}", "cannot be used"),
    ],
)
def test_a_misuse_is_told_in_one_line(line, sentence, files):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = started(*line.format(**files, taken=other.getsockname()[1]).split())

    assert (ended.returncode, ended.stdout) == (5, "")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (files["here"] / "missing.db").exists()


def test_the_token_never_stands_on_the_command_line(files):
    ended = started("--file", files["file"])

    assert ended.returncode == 2
    assert "--token-file" in ended.stderr
