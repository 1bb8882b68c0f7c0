"""A feed that a marketplace serves over HTTP, one posting a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import structlog

log = structlog.get_logger()

ASK_AGAIN = 0.5
"""Seconds before the feed is asked again where it broke off."""

SILENCE = 30.0
"""Seconds without a byte after which a connection is taken for cut; a living server sends an empty line before."""


async def lines(url: str, *, follow: bool, longest: int) -> AsyncIterator[bytes]:
    """Yield the feed's lines in order; a connection that breaks goes on behind the last whole line.

    Args:
        url: Understands `after` (lines to leave out) and `follow` (1: wait for more at the end). May say itself where to begin;
            the answer's header `After` tells how many lines that left out.
        follow: Whether to go on for good.
        longest: Bytes a line may have.
    """
    seen: int | None = None
    waiting = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE)
    async with aiohttp.ClientSession(timeout=waiting, raise_for_status=True, read_bufsize=longest) as session:
        while True:
            try:
                async with session.get(url, params=_asked(seen, follow)) as answer:
                    seen = int(answer.headers.get("After", seen or 0))
                    async for line in answer.content:
                        if line.endswith(b"\n") and line.strip():
                            seen += 1
                            yield line
                if not follow:
                    return
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("the feed broke off", feed=url, after=seen, error=repr(error))
            await asyncio.sleep(ASK_AGAIN)


def _asked(seen: int | None, follow: bool) -> dict[str, int]:
    return {"follow": int(follow)} | ({} if seen is None else {"after": seen})
