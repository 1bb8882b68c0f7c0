"""A process of its own for the contenders: `python -m bidlock_bench.worker URL PREFIX`.

It reads one JSON command per line and answers each with one JSON line; `as` names the contender, which connects when
it is first named. Processes on one machine share the monotonic clock, so that a moment in one can be compared with a
moment in another.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bidlock_bench.contenders.crowd import Contender, Rated, opened
from bidlock_bench.contenders.registry import RUNNERS
from bidlock_bench.environment import quieten


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
async def started(url: str, prefix: str) -> AsyncIterator[Worker]:
    """Start a worker, and end it afterwards."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bidlock_bench.worker", url, prefix, stdin=PIPE, stdout=PIPE)
    try:
        yield Worker(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def crew(size: int, url: str, prefix: str) -> AsyncIterator[list[Worker]]:
    """Start several workers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(started(url, prefix)) for _ in range(size)]


class _Service:
    """The child's side: contenders by name, and what the last one holds."""

    def __init__(self, url: str, prefix: str, stack: AsyncExitStack) -> None:
        self._url, self._prefix = url, prefix
        self._stack = stack
        self._contenders: dict[str, Rated] = {}
        self._held: Any = None

    async def do(self, command: dict[str, Any]) -> Any:
        name = command["as"]
        if name not in self._contenders:
            contender = RUNNERS[name].build(self._url, self._prefix)
            self._contenders[name] = await self._stack.enter_async_context(opened(contender))
        contender = self._contenders[name]
        match command:
            case {"do": "rate", "tasks": tasks, "seconds": seconds}:
                return await contender.rate(tasks, seconds)
            case {"do": "take", "key": key} if isinstance(contender, Contender):
                self._held = await contender.take(key)
                return time.monotonic()
            case {"do": "give up"} if isinstance(contender, Contender):
                moment = time.monotonic()
                await contender.give_up(self._held)
                return moment
        raise ValueError(f"{name} cannot {command}")


async def _serve(url: str, prefix: str) -> None:
    quieten()
    lines = await _standard_input()
    async with AsyncExitStack() as stack:
        service = _Service(url, prefix, stack)
        while line := await lines.readline():
            try:
                _say(await service.do(json.loads(line)))
            except Exception as error:  # the parent decides what a broken contender means
                _say({"error": f"{type(error).__name__}: {error}"})


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
