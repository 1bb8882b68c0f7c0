"""The postings on offer: a file of JSON lines that may grow, and its lines from any one on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

LOOK_AGAIN = 0.1
"""Seconds between two looks at a file that is followed."""

PULSE = 5.0
"""Seconds of silence after which a follower gets an empty line, so that both sides notice a cut connection."""


class Feed:
    """A file of postings.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def count(self) -> int:
        """How many postings it has."""
        return self.path.read_bytes().count(b"\n")

    def offer(self, now: datetime) -> None:
        """Append a posting that is made up; its id is its number."""
        number = self.count() + 1
        posting = {
            "marketplace": "upwork",
            "id": f"~{number:08x}",
            "title": f"Job number {number}",
            "budget": 100 + number % 900,
            "posted_at": now.isoformat(timespec="milliseconds"),
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(posting) + "\n")

    async def lines(self, after: int, *, follow: bool) -> AsyncIterator[bytes]:
        """Yield the whole lines after the first `after` ones; at the end wait for more, or stop."""
        number, part, silent = 0, b"", 0.0
        with self.path.open("rb") as file:
            while True:
                part += file.readline()
                if part.endswith(b"\n"):
                    number, line, part, silent = number + 1, part, b"", 0.0
                    if number > after:
                        yield line
                elif not follow:
                    return
                else:
                    await asyncio.sleep(LOOK_AGAIN)
                    silent += LOOK_AGAIN
                    if silent >= PULSE:
                        silent = 0.0
                        yield b"\n"


async def keep_offering(feed: Feed, rate: float) -> None:
    """Offer `rate` postings a second, for good."""
    while True:
        feed.offer(datetime.now(UTC))
        await asyncio.sleep(1 / rate)
