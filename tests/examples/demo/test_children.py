"""No process outlives the demo, whichever way it ends."""

import signal
import socket
import subprocess
import sys

import pytest

from bidlock_demo.children import ChildFailed, nursery

pytestmark = pytest.mark.slow

PARENT = """
import asyncio, sys
from pathlib import Path
from bidlock_demo.children import nursery

async def main():
    async with nursery(Path(sys.argv[1])) as children:
        child = await children.start("example_marketplace", "--port", "0", "--port-file", sys.argv[1] + "/port")
        await child.wait()

asyncio.run(main())
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_child_ends_with_its_parent(tmp_path, eventually, number):
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stderr=subprocess.DEVNULL) as parent:
        eventually((tmp_path / "port").exists)
        port = int((tmp_path / "port").read_text())
        assert answers(port)
        parent.send_signal(number)

    eventually(lambda: not answers(port))


async def test_a_child_that_fails_is_told_with_what_it_said(tmp_path):
    async with nursery(tmp_path) as children:
        child = await children.start("example_marketplace", "--port", "none")

        with pytest.raises(ChildFailed, match="invalid int value"):
            await child.wait()


async def test_children_do_not_inherit_the_users_own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDLOCK_URL", "nonsense://")
    async with nursery(tmp_path) as children:
        child = await children.start("example_bidder", "--port", "-1", environment={"BIDLOCK_TTL": "100"})

        with pytest.raises(ChildFailed, match="no store is configured"):
            await child.wait()
