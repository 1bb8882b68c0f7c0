"""Many tasks of one process that want the same posting; die when two are inside at once.

arguments: store, flag file, tasks, rounds of each
prints: how often each wait ended because somebody told
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket, Verdict
from bidlock.postings import posting
from bidlock_sqlite.backend import SqliteBackend

POSTING = posting("upwork", "~contended")


def enter(flag: str) -> None:
    os.close(os.open(flag, os.O_CREAT | os.O_EXCL))


def leave(flag: str) -> None:
    Path(flag).unlink()


async def hold_once(store: SqliteBackend, flag: str) -> None:
    ticket = Ticket(POSTING, secrets.token_hex(16), "sqlite", f"host:{os.getpid()}", 300_000)
    async with store.wakeups(POSTING) as wakeups:
        while (answer := await store.acquire(ticket)).verdict is Verdict.HELD:
            await wakeups.wait(30)
    assert answer.ok, answer
    enter(flag)
    await asyncio.sleep(0)
    leave(flag)
    assert (await store.release(ticket)).ok


async def work(store: SqliteBackend, flag: str, rounds: int) -> None:
    for _ in range(rounds):
        await hold_once(store, flag)


async def main(path: str, flag: str, tasks: int, rounds: int) -> None:
    store = SqliteBackend(BackendConfig(parse(f"sqlite:///{path}"), timeout=30))
    await store.open()
    assert await store.open_self(SelfMeta("sqlite", 3_600_000, 5_000))
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(work(store, flag, rounds))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
