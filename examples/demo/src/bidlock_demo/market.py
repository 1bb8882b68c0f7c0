"""The marketplace of one act: started, asked what it counted, ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bidlock.errors import BidlockError
from bidlock_demo.children import Nursery
from example_marketplace import journal

LATENCY = 0.2
"""Longest time the marketplace takes to answer, seconds: real ones take that long, and bidders must be busy to be killed at work."""

START_SECONDS = 30.0
"""How long it may take to start on a slow machine."""


class Market:
    """A running marketplace."""

    def __init__(self, url: str, session: aiohttp.ClientSession, kept: Path) -> None:
        self.url = url
        self._session = session
        self._journal = kept

    async def stats(self) -> dict[str, Any]:
        """What it counted so far."""
        async with self._session.get(f"{self.url}/stats") as answer:
            counted: dict[str, Any] = await answer.json()
        return counted

    def postings(self) -> set[tuple[str, str]]:
        """The postings that have a bid, from its journal."""
        return {bid.posting for bid in journal.read(self._journal)}


@asynccontextmanager
async def market(nursery: Nursery, directory: Path) -> AsyncIterator[Market]:
    """Run a marketplace with its files below `directory`."""
    port_file, kept = directory / "market.port", directory / "market.jsonl"
    arguments = ("--port", "0", "--port-file", str(port_file), "--journal", str(kept), "--latency", str(LATENCY))
    child = await nursery.start("example_marketplace", *arguments)
    running = asyncio.create_task(child.wait())
    try:
        url = f"http://127.0.0.1:{await _port(port_file, running)}"
        async with aiohttp.ClientSession() as session:
            yield Market(url, session, kept)
    finally:
        child.terminate()
        await asyncio.gather(running, return_exceptions=True)


async def _port(file: Path, running: asyncio.Task[None]) -> int:
    async with asyncio.timeout(START_SECONDS):
        while (port := _announced(file)) is None:
            if running.done():
                await running  # raises what it said
                raise BidlockError("the marketplace ended before it took bids")
            await asyncio.sleep(0.02)
    return port


def _announced(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() else None
