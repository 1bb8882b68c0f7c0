"""The commands of the agent's containers, run here by real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock.addresses import parse
from bidlock.backend import BackendConfig
from bidlock.migration.port import Constitution, Outcome
from bidlock_operator.manifests import agent
from bidlock_redis.testing import servers
from bidlock_sqlite.agent.client import AgentOrigin

pytestmark = pytest.mark.slow


@pytest.fixture
def pod(policy, platform, tmp_path):
    """The agent's pod, its folders on this machine."""
    spec = agent.deployment(policy(sqlite={"storage": {"size": "1Gi"}, "path": "fleet/bids.db"}), platform)["spec"]["template"]["spec"]
    (tmp_path / "token").mkdir()

    def here(words):
        return [word.replace(agent.DATA, str(tmp_path / "data")).replace(agent.TOKEN, str(tmp_path / "token")) for word in words]

    return {
        container["name"]: here(container.get("command", []) + container.get("args", []))
        for container in spec["initContainers"] + spec["containers"]
    }


@pytest.fixture
def token(tmp_path):
    return agent.generate_token()


@pytest.fixture
def origin_url(pod, token, tmp_path):
    """Make the file, start the agent, as the kubelet would."""
    make(pod)
    (tmp_path / "token" / agent.TOKEN_KEY).write_text(token)
    port = servers.free_port()
    command = [Path(sys.executable).with_name("bidlock"), "agent", *pod["bidlock-agent"]]
    command = [str(word).replace(f"0.0.0.0:{agent.PORT}", f"127.0.0.1:{port}") for word in command]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BIDLOCK_")}
    with subprocess.Popen(command, env=plain | {"BIDLOCK_PLUGINS": "sqlite"}, stderr=subprocess.PIPE, text=True) as process:
        assert "serving" in process.stderr.readline()
        yield f"sqlite+http://:{token}@127.0.0.1:{port}"
        process.terminate()


def make(pod):
    command = pod["bidlock-file"]
    subprocess.run([sys.executable, *command[1:]], check=True)


async def test_the_operator_founds_a_fleet_on_the_file_that_was_made(origin_url):
    origin = AgentOrigin(BackendConfig(parse(origin_url)))

    before = await origin.survey(0)
    assert await origin.constitute(Constitution("u-1", 1, before.domain, 300_000, 5_000), frozenset({"sqlite"})) is Outcome.OK

    assert (await origin.survey(0)).modes == {"sqlite"}
    await origin.close()


def test_a_file_that_is_there_is_left_as_it_is(pod, tmp_path):
    file = tmp_path / "data" / "fleet" / "bids.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"markers")

    make(pod)

    assert file.read_bytes() == b"markers"


def test_the_file_can_be_written_by_the_volumes_group_and_by_nobody_else(pod, tmp_path):
    make(pod)

    assert (tmp_path / "data" / "fleet" / "bids.db").stat().st_mode & 0o777 == 0o660
