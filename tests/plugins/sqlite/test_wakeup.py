"""Who waits for a posting is told when it becomes free, by whatever client of this host frees it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from bidlock_sqlite import wakeup
from bidlock_sqlite.wakeup import Wakeup

FREES = ["release", "break"]


def entries(directory: Path | str) -> list[str]:
    return [entry.name for entry in Path(directory).iterdir()]


def leave_behind(directory: Path) -> None:
    """A socket as a killed process leaves it."""
    directory.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(directory / "4711-dead"))


async def free(store, held, how: str) -> None:
    if how == "release":
        assert (await store.release(held)).ok
    else:
        assert await store.break_(held.posting, by="ann", reason="")


@pytest.mark.parametrize("how", FREES)
async def test_a_waiter_of_another_client_is_told(make, ticket, how, monkeypatch) -> None:
    """The waiter would sleep for an hour by itself."""
    monkeypatch.setattr(wakeup, "LONGEST_SLEEP", 3600.0)
    holder, waiting, held = await make(), await make(), ticket()
    await holder.acquire(held)
    async with waiting.wakeups(held.posting) as wakeups:
        waiter = asyncio.create_task(wakeups.wait(3600.0))
        await free(holder, held, how)
        await waiter


async def test_a_release_between_subscribing_and_waiting_is_not_missed(store, ticket, monkeypatch) -> None:
    monkeypatch.setattr(wakeup, "LONGEST_SLEEP", 3600.0)
    held = ticket()
    await store.acquire(held)
    async with store.wakeups(held.posting) as wakeups:
        await store.release(held)
        await wakeups.wait(3600.0)


async def test_only_waiters_of_that_posting_are_told(store, ticket) -> None:
    held, other = ticket("held"), ticket("other")
    await store.acquire(held)
    async with store.wakeups(held.posting) as told, store.wakeups(other.posting) as untold:
        await store.release(held)
        await told.wait(3600.0)
        assert not untold.told.is_set()


async def test_a_wait_ends_by_itself(store, ticket) -> None:
    async with store.wakeups(ticket().posting) as wakeups:
        await wakeups.wait(0.01)


async def test_nothing_is_left_when_nobody_waits(store, ticket, path) -> None:
    async with store.wakeups(ticket().posting):
        assert len(entries(f"{path}.wake")) == 1
    assert f"{path.name}.wake" not in entries(path.parent)


async def test_the_socket_of_a_dead_process_is_removed_by_whoever_releases(store, ticket, path) -> None:
    directory = Path(f"{path}.wake")
    leave_behind(directory)
    held = ticket()
    await store.acquire(held)
    await store.release(held)
    await store.inspect(held.posting)
    assert entries(directory) == []


async def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path, monkeypatch) -> None:
    for name in ("LONGEST_SLEEP", "SLEEP_WITHOUT_SOCKET"):
        monkeypatch.setattr(wakeup, name, 3600.0)
    deep = tmp_path.joinpath(*["a" * 60] * 4)
    deep.mkdir(parents=True)
    listener, teller = Wakeup(deep / "bids.db"), Wakeup(deep / "bids.db")
    async with listener.subscribed(7) as wakeups:
        assert len(entries(deep / "bids.db.wake")) == 1
        teller.tell([6, 7])
        await wakeups.wait(3600.0)


async def test_a_flood_of_releases_wakes_everybody(tmp_path) -> None:
    """The kernel keeps few datagrams; whoever may have missed one looks for itself."""
    listener, teller = Wakeup(tmp_path / "bids.db"), Wakeup(tmp_path / "bids.db")
    async with listener.subscribed(2**64 - 1) as wakeups:
        for number in range(1000):
            teller.tell([number])
        await wakeups.told.wait()


async def test_a_waiter_without_a_socket_asks_more_often(tmp_path) -> None:
    """A file stands where the sockets would lie."""
    (tmp_path / "bids.db.wake").write_text("")
    async with Wakeup(tmp_path / "bids.db").subscribed(7) as wakeups:
        await wakeups.wait(3600.0)
