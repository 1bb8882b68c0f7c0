"""A SQLite file on a volume whose locks cannot be trusted, on a real API server and through the real agent."""

from __future__ import annotations

import pytest
from simulation.world import Fleet, condition, policy

from bidlock_sqlite import filesystems


@pytest.fixture
def mounted(monkeypatch, node, namespace):
    """Lets the fleet's volume be of another type; what the kernel tells of mounts is all that differs."""

    def as_type(kind: str) -> None:
        folder = node.claim(namespace, "arbitrage-sqlite")
        monkeypatch.setattr(filesystems, "mount_table", lambda: f"server:/bids {folder} {kind} rw 0 0\n")

    return as_type


async def unsafe(fleet: Fleet) -> dict:
    """Wait until a fleet is told that its file is not safe."""
    body = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "UnsafeFilesystem")
    message = condition(body, "Stalled", "message")
    assert "lies on nfs4, and locks of NFS are not reliable" in message
    assert "What you can do: put the SQLite file on a file system of the node" in message
    return body


async def test_a_file_on_a_network_file_system_is_refused_before_anybody_bids_in_it(operated, mounted, transport, namespace):
    mounted("nfs4")
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()

    assert "epoch" not in (await unsafe(fleet))["status"]
    mounted("ext4")
    await fleet.walked("SQLite")


async def test_a_file_that_is_on_a_network_file_system_from_now_on_is_told_and_the_walk_goes_on_when_it_is_not(
    operated, mounted, transport, namespace
):
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    await fleet.walked("SQLite")
    mounted("nfs4")
    await fleet.change(phase="DualSupport")

    told = await unsafe(fleet)
    assert told["status"]["authority"] == "SQLite"
    assert condition(told, "Ready") != "True"
    mounted("ext4")
    await fleet.walked("DualSupport", 90)
