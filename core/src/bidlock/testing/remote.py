"""A client of a store in a process of its own, so that a test can kill it, stop it, or set its clock wrong.

The child reads one JSON request per line and answers each with one line: `{"verdict": …, "token": …}` for an answer of
the store, `{"error": …}` for an exception. Run by `Remote.start`, never by hand.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from bidlock.backend import Answer, Backend, Ticket, Verdict
from bidlock.postings import posting

_SHIFT = "BIDLOCK_KIT_SHIFT"


class Remote:
    """The parent's end of one child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, url: str, prefix: str, *, shift: float = 0.0) -> Remote:
        """Start a child with an opened client of the store.

        Args:
            url: The store's URL.
            prefix: First part of its keys.
            shift: How far the child's wall clock is off, seconds.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bidlock.testing.remote",
            prefix,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "BIDLOCK_KIT_URL": url, _SHIFT: str(shift)},
        )
        remote = cls(process)
        await remote.answer()
        return remote

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def ask(self, verb: str, ticket: Ticket, token: int = 0) -> Answer:
        """Have the child call one primitive.

        Raises:
            RuntimeError: it raised.
        """
        self.send(verb, ticket, token)
        return await self.answer()

    def send(self, verb: str, ticket: Ticket, token: int = 0) -> None:
        """Send the request and do not wait for the answer."""
        about = ticket.posting
        request = {"verb": verb, "token": token, "ids": (about.marketplace, about.id), "ticket": tuple(ticket)[1:]}
        assert self._process.stdin is not None  # noqa: S101 — started with a pipe
        self._process.stdin.write(json.dumps(request).encode() + b"\n")

    async def answer(self) -> Answer:
        """The answer to the oldest request that was sent."""
        assert self._process.stdout is not None  # noqa: S101 — started with a pipe
        line = await self._process.stdout.readline()
        said = json.loads(line or b'{"error": "the process ended"}')
        if "error" in said:
            raise RuntimeError(said["error"])
        return Answer(Verdict(said["verdict"]), said["token"], said["remaining_ms"])

    def stop(self) -> None:
        """SIGSTOP: the child does nothing until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL the child and wait for its end. Idempotent."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


def _shift_clock(seconds: float) -> None:
    true_time, true_ns = time.time, time.time_ns
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: true_ns() + int(seconds * 1e9)


async def _serve(backend: Backend, read: Callable[[], str]) -> None:
    await backend.open()
    _say(Answer(Verdict.OK))
    while line := await asyncio.to_thread(read):
        try:
            _say(await _call(backend, json.loads(line)))
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)  # noqa: T201 — the answer's line
    await backend.close()


async def _call(backend: Backend, request: dict[str, Any]) -> Answer:
    ticket = Ticket(posting(*request["ids"]), *request["ticket"])
    if request["verb"] in {"confirm", "claim"}:
        answer = await getattr(backend, request["verb"])(ticket, request["token"])
    else:
        answer = await getattr(backend, request["verb"])(ticket)
    return Answer(*answer)


def _say(answer: Answer) -> None:
    print(json.dumps({"verdict": answer.verdict, "token": answer.token, "remaining_ms": answer.remaining_ms}), flush=True)  # noqa: T201 — the answer's line


def _main() -> None:
    _shift_clock(float(os.environ[_SHIFT]))
    from bidlock import plugins
    from bidlock.addresses import parse
    from bidlock.backend import BackendConfig

    address = parse(os.environ["BIDLOCK_KIT_URL"])
    backend = plugins.load().backend(address.scheme).factory(BackendConfig(address, prefix=sys.argv[1]))
    asyncio.run(_serve(backend, sys.stdin.readline))


if __name__ == "__main__":
    _main()
