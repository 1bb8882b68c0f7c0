"""The servers that every other test relies on."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock_redis.testing.servers import Server, available, start

pytestmark = pytest.mark.servers


@pytest.fixture(params=available())
def server(request, tmp_path):
    with start(request.param, directory=tmp_path) as running:
        yield running


def test_every_flavour_keeps_what_it_acknowledged_when_it_is_killed(server: Server):
    server.command("SET", "key", "value")
    server.kill()
    server.restart()
    assert server.command("GET", "key") == "value"


def test_every_flavour_never_evicts(server: Server):
    assert server.command("CONFIG", "GET", "maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path):
    program = "import os, pathlib, sys; from bidlock_redis.testing.servers import start; "
    program += "print(start(directory=pathlib.Path(sys.argv[1])).pid, flush=True); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert _ends(int(done.stdout))


def _ends(pid: int) -> bool:
    """Wait for a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)
