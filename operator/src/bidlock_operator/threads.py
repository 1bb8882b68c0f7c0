"""An event loop in a thread of its own, for what must not wait until everything else had its turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Thread:
    """A running loop that takes coroutines from other loops."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop runs already, in another thread than the caller's."""
        self._loop = loop

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it over there, and wait for what comes of it; cancelled here it is cancelled there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def enter(self, stack: AsyncExitStack, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context over there, and leave it there with the stack."""
        value = await self.run(_entered(manager))
        stack.push_async_exit(lambda *raised: self.run(_left(manager, raised)))
        return value


async def _entered(manager: AbstractAsyncContextManager[T]) -> T:
    return await manager.__aenter__()


async def _left(manager: AbstractAsyncContextManager[Any], raised: tuple[Any, Any, Any]) -> bool | None:
    return await manager.__aexit__(*raised)


@asynccontextmanager
async def started(name: str) -> AsyncIterator[Thread]:
    """A thread with a loop while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield Thread(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()
