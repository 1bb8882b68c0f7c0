"""Fork while a backend is busy: both sides go on, each with its own connection, and exclude each other.

arguments: store
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket, Verdict
from bidlock.postings import posting
from bidlock_sqlite.backend import SqliteBackend


def ticket(name: str) -> Ticket:
    return Ticket(posting("upwork", name), secrets.token_hex(16), "sqlite", f"host:{os.getpid()}", 300_000)


async def churn(store: SqliteBackend, side: str, number: int) -> None:
    for round_ in range(20):
        mine = ticket(f"{side}-{number}-{round_}")
        answer = await store.acquire(mine)
        assert answer.ok, answer
        assert (await store.claim(mine, answer.token)).ok


async def child(store: SqliteBackend, held: Ticket) -> None:
    """Everything is fresh here, and the parent's lease is in the way."""
    assert (await store.acquire(ticket(held.posting.id))).verdict is Verdict.HELD
    await asyncio.gather(*(churn(store, "child", number) for number in range(10)))
    await store.close()


async def parent(path: str) -> int:
    store = SqliteBackend(BackendConfig(parse(f"sqlite:///{path}"), timeout=30))
    await store.open()
    assert await store.open_self(SelfMeta("sqlite", 3_600_000, 5_000))
    held = ticket("held")
    assert (await store.acquire(held)).ok
    async with store.wakeups(held.posting):
        busy = [asyncio.create_task(churn(store, "parent", number)) for number in range(10)]
        for _ in range(5):
            await asyncio.sleep(0)
        pid = await asyncio.to_thread(fork, store, held)
        await asyncio.gather(*busy)
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    assert (await store.renew(held)).ok
    await store.close()
    return os.waitstatus_to_exitcode(status)


def fork(store: SqliteBackend, held: Ticket) -> int:
    """In a thread of its own: an event loop does not run inside another one's."""
    pid = os.fork()
    if pid:
        return pid
    try:
        asyncio.run(child(store, held))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(asyncio.run(parent(sys.argv[1])))
