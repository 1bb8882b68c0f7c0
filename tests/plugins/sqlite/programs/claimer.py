"""Claim postings as fast as it goes, and say so only when the store said so; meant to be killed.

arguments: store; prints: the id of each claimed posting
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import sys

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket
from bidlock.postings import posting
from bidlock_sqlite.backend import SqliteBackend


async def work(store: SqliteBackend, numbers: itertools.count[int]) -> None:
    for number in numbers:
        ticket = Ticket(posting("upwork", f"~{number}"), secrets.token_hex(16), "sqlite", "host:1", 300_000)
        answer = await store.acquire(ticket)
        if answer.ok and (await store.claim(ticket, answer.token)).ok:
            sys.stdout.write(f"~{number}\n")
            sys.stdout.flush()


async def main(path: str) -> None:
    store = SqliteBackend(BackendConfig(parse(f"sqlite:///{path}")))
    await store.open()
    assert await store.open_self(SelfMeta("sqlite", 3_600_000, 5_000))
    numbers = itertools.count()
    await asyncio.gather(*(work(store, numbers) for _ in range(50)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
