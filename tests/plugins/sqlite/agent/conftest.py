"""A real agent process over a real file, and clients of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration.port import Constitution
from bidlock_sqlite.agent.client import AgentOrigin

TOKEN = "0123456789abcdef0123456789abcdef"
TERMS = Constitution("register-1", 7, "", ttl_max_ms=3_600_000, margin_ms=5_000)


class AgentProcess:
    def __init__(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("bidlock"), "agent", *map(str, arguments)], stderr=subprocess.PIPE, text=True, env=environment
        )
        line = self.process.stderr.readline()
        found = re.search(r"serving .* on (https?)://(.*):(\d+)$", line)
        assert found, line
        self.scheme, self.host, self.port = found[1], found[2], int(found[3])

    def url(self, options=""):
        return f"sqlite+{self.scheme}://{self.host}:{self.port}{options}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def terms():
    return TERMS


@pytest.fixture(scope="session")
def token():
    return TOKEN


@pytest.fixture(scope="module")
def shared_agent(tmp_path_factory):
    """An agent for those that change nothing."""
    folder = tmp_path_factory.mktemp("agent")
    (folder / "bids.db").touch()
    (folder / "token").write_text(TOKEN)
    agent = AgentProcess("--file", folder / "bids.db", "--token-file", folder / "token", "--listen", "127.0.0.1:0")
    yield agent
    agent.stop()


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


@pytest.fixture
def start(path, token_file):
    """Starts agents, and ends them."""
    agents = []

    def starting(*arguments):
        path.touch()
        agents.append(AgentProcess("--file", path, "--token-file", token_file, "--listen", "127.0.0.1:0", *arguments))
        return agents[-1]

    yield starting
    for agent in agents:
        agent.stop()


@pytest.fixture
def agent(start):
    return start()


@pytest.fixture
async def connect(token_file):
    """Makes clients, and closes them."""
    clients = []

    def connecting(url, **config):
        clients.append(AgentOrigin(BackendConfig(parse(url), timeout=2.0, **config)))
        return clients[-1]

    yield connecting
    for client in clients:
        await client.close()


@pytest.fixture
def client(agent, connect, token_file):
    return connect(agent.url(f"?token_file={token_file}"))
