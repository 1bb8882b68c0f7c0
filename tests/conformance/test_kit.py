"""The kit run as an author runs it: a folder with nothing in it, one command, and `conformance.json` afterwards."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow]

KINDS = [
    "leases",
    "releases",
    "markers",
    "guard",
    "naming",
    "wakeups",
    "contention",
    "cancellation",
    "crash",
    "pause",
    "clock",
    "network",
    "histories",
    "front",
]
SERVERS = ["redis-6.2", "redis-7.0", "redis-8.2", "valkey-9.1"]
BACKENDS = [
    ("memory", "memory"),
    ("sqlite", "sqlite-file"),
    ("example", "files"),
    *(pytest.param("redis", variant, marks=pytest.mark.servers) for variant in SERVERS),
]


def run(folder, *arguments):
    """Run pytest in the folder, without anything of this project's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "BIDLOCK", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def written(folder, name="conformance.json"):
    return json.loads((folder / name).read_text())


@pytest.mark.parametrize(("backend", "variant"), BACKENDS)
def test_every_backend_of_this_project_conforms(tmp_path, backend, variant):
    done = run(tmp_path, f"--bidlock-backend={backend}", f"--bidlock-variant={variant}")
    assert done.returncode == 0, done.stdout[-5000:]
    result = written(tmp_path)
    assert (result["verdict"], result["variants"][variant]["verdict"]) == ("passed", "passed")
    assert list(result["variants"][variant]["families"]) == KINDS
