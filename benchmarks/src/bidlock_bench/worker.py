"""A process of its own for one contender: `python -m bidlock_bench.worker NAME URL PREFIX`.

It reads one JSON command per line and answers each with one JSON line. Processes on one machine share the monotonic
clock, so that a moment in one can be compared with a moment in another.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bidlock_bench.contenders.crowd import Contender, Rated
from bidlock_bench.contenders.registry import RUNNERS


class Worker:
    """A worker process, seen from its parent."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def send(self, **command: Any) -> None:
        """Send a command without waiting for its answer."""
        if self._process.stdin is None:
            raise RuntimeError("the worker has no input")
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def answer(self) -> Any:
        """The next answer.

        Raises:
            RuntimeError: the worker ended instead, or reports an error.
        """
        if self._process.stdout is None or not (line := await self._process.stdout.readline()):
            raise RuntimeError(f"the worker ended ({await self._process.wait()})")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    async def ask(self, **command: Any) -> Any:
        """Send a command and return its answer."""
        await self.send(**command)
        return await self.answer()


@asynccontextmanager
async def started(contender: str, url: str, prefix: str) -> AsyncIterator[Worker]:
    """Start a worker that is connected when entered, and end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bidlock_bench.worker", contender, url, prefix, stdin=PIPE, stdout=PIPE
    )
    try:
        worker = Worker(process)
        await worker.answer()
        yield worker
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _serve(contender: Rated) -> None:
    lines = await _standard_input()
    _say("ready")
    held: list[Any] = []
    while line := await lines.readline():
        command = json.loads(line)
        try:
            _say(await _do(contender, command, held))
        except Exception as error:  # the parent decides what a broken contender means
            _say({"error": f"{type(error).__name__}: {error}"})


async def _do(contender: Rated, command: dict[str, Any], held: list[Any]) -> Any:
    match command:
        case {"do": "rate", "tasks": tasks, "seconds": seconds}:
            return await contender.rate(tasks, seconds)
        case {"do": "take", "key": key} if isinstance(contender, Contender):
            held[:] = await contender.take(key)
            return time.monotonic()
        case {"do": "give up"} if isinstance(contender, Contender):
            moment = time.monotonic()
            await contender.give_up(held)
            return moment
    raise ValueError(f"{type(contender).__name__} cannot {command}")


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


async def _main(name: str, url: str, prefix: str) -> None:
    contender = RUNNERS[name].build(url, prefix)
    await contender.open()
    try:
        await _serve(contender)
    finally:
        await contender.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
