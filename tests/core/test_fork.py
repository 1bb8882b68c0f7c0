"""A forked child holds nothing of its parent's."""

import asyncio
import os
import uuid

import bidlock


def in_child(work):
    """Exit code 0 of a forked child in which `work()` is true."""
    child = os.fork()
    if child == 0:
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_leases_are_lost_in_the_child_and_stay_in_the_parent():
    async with bidlock.connect(f"memory://{uuid.uuid4().hex}", environment={}, ttl=60) as locks:
        lease = await locks.try_hold("upwork", "1")

        assert in_child(lambda: lease.lost.is_set())
        assert not lease.lost.is_set()


async def test_callers_in_line_stay_with_the_parent():
    async with bidlock.connect(f"memory://{uuid.uuid4().hex}", environment={}, ttl=60, timeout=5) as locks:
        async with locks.hold("upwork", "1"):
            waiting = asyncio.create_task(locks.try_hold("upwork", "2"))
            assert in_child(lambda: not locks._client.lines._lines)
        assert await waiting
