"""Where postings come from: JSON lines in a file, on standard input, in a file that still grows, or from a marketplace."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from example_bidder import streaming

LONGEST_LINE = 1 << 20
"""Bytes; a longer line is broken."""

LOOK_AGAIN = 0.25
"""Seconds between two looks at a file that is followed."""


class Job(NamedTuple):
    """One posting of the feed.

    Attributes:
        marketplace: Where it stands.
        id: As the marketplace writes it.
        title: For humans.
        budget: What the client wants to spend at most.
        posted_at: When the marketplace says it was created; None when it does not say.
    """

    marketplace: str
    id: str
    title: str
    budget: float
    posted_at: datetime | None


class Broken(NamedTuple):
    """A line that is no posting.

    Attributes:
        number: Line number, from 1.
        reason: What is wrong with it.
        line: Its beginning.
    """

    number: int
    reason: str
    line: str


async def read(source: Path | str | None, *, follow: bool = False) -> AsyncIterator[Job | Broken]:
    """Yield the feed's postings in order, and what is broken in between.

    Args:
        source: A file; a URL, see `streaming`; None for standard input.
        follow: Go on waiting for more at the end.
    """
    number = 0
    async for line in _lines(source, follow):
        number += 1
        if line.strip():
            yield parse(line, number)


def parse(line: bytes, number: int) -> Job | Broken:
    """Read one line of the feed."""
    try:
        return _job(json.loads(line.decode("utf-8-sig")))
    except KeyError as error:
        reason = f"{error.args[0]} is missing"
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = str(error)
    return Broken(number, reason, line[:80].decode("utf-8", "backslashreplace").strip())


def _job(fields: Any) -> Job:
    if not isinstance(fields, dict):
        raise TypeError("a posting is a JSON object")
    for name in ("marketplace", "id"):
        if not isinstance(fields[name], str) or not fields[name]:
            raise TypeError(f"{name} must be a text that is not empty")
    stamp = fields.get("posted_at")
    return Job(
        fields["marketplace"],
        fields["id"],
        str(fields.get("title", "")),
        float(fields["budget"]),
        _moment(stamp) if stamp else None,
    )


def _moment(stamp: str) -> datetime:
    """A stamp without an offset is taken as UTC, so that every bidder reads the same instant."""
    moment = datetime.fromisoformat(stamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment.timestamp() <= 0:
        raise ValueError(f"posted_at {stamp} is before 1970")
    return moment


async def _lines(source: Path | str | None, follow: bool) -> AsyncIterator[bytes]:
    if isinstance(source, str):
        async for line in streaming.lines(source, follow=follow, longest=LONGEST_LINE):
            yield line
        return
    if source is None and _streams(sys.stdin.buffer):
        async for line in _stream_lines():
            yield line
        return
    with source.open("rb") if source else sys.stdin.buffer as file:
        async for line in _file_lines(file, follow):
            yield line


def _streams(file: BinaryIO) -> bool:
    """Whether the event loop can wait for this file: a pipe, a socket or a terminal, no file on disk."""
    mode = os.fstat(file.fileno()).st_mode
    return file.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _file_lines(file: BinaryIO, follow: bool) -> AsyncIterator[bytes]:
    part = b""
    while True:
        line = file.readline()
        if line.endswith(b"\n") or (line and not follow):
            yield part + line
            part = b""
            await asyncio.sleep(0)
        elif follow:
            part += line  # its writer is in the middle of it
            await asyncio.sleep(LOOK_AGAIN)
        else:
            return


async def _stream_lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    try:
        while line := await _line(reader):
            yield line
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:  # the reader has thrown the long line away
        return b"(a line of more than %d bytes)\n" % LONGEST_LINE
