"""Claim until the kernel lets no file of this process grow any more, then lift the limit and ask for the last one again.

arguments: store; prints: the claimed ids, then the error's class
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import secrets
import signal
import sys

from bidlock.addresses import parse
from bidlock.backend import BackendConfig, SelfMeta, Ticket
from bidlock.errors import BackendError
from bidlock.postings import posting
from bidlock_sqlite.backend import SqliteBackend


async def claim(store: SqliteBackend, ticket: Ticket) -> None:
    answer = await store.acquire(ticket)
    assert answer.ok, answer
    assert (await store.claim(ticket, answer.token)).ok
    print(ticket.posting.id)  # noqa: T201 — that is its report


async def main(path: str) -> None:
    store = SqliteBackend(BackendConfig(parse(f"sqlite:///{path}")))
    await store.open()
    assert await store.open_self(SelfMeta("sqlite", 3_600_000, 5_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, resource.RLIM_INFINITY))
    try:
        for number in itertools.count():
            ticket = Ticket(posting("upwork", f"~{number}"), secrets.token_hex(16), "sqlite", "host:1", 300_000)
            await claim(store, ticket)
    except BackendError as error:
        print(type(error).__name__)  # noqa: T201 — that is its report
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await claim(store, ticket)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
