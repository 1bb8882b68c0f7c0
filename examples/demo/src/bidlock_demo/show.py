"""The whole show: three acts on one stage, and whatever happens, an empty stage afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bidlock_demo import acts, walking
from bidlock_demo.acts import Stage
from bidlock_demo.children import nursery
from bidlock_demo.feed import Feed
from bidlock_demo.tally import Act, Report


def programme(feed: Feed) -> tuple[Act, Act, Act, Act]:
    """The acts before anything happened."""
    postings = len(feed.postings)
    return (
        Act("seed", "the seed's way", postings),
        Act("sqlite", "bidlock, SQLite", postings),
        Act("redis", "bidlock, Redis", postings),
        Act("walk", "bidlock, walking", postings),
    )


async def perform(feed: Feed, plan: Sequence[Act], *, bidders: int, seed: int, say: Callable[[str], None]) -> Report:
    """Run the acts one after the other.

    Args:
        feed: What they are about.
        plan: From `programme`; filled in while they run.
        bidders: Processes that bid at a time.
        seed: Decides about orders and kills.
        say: Tells the audience what happens.
    """
    began = time.monotonic()
    seed_way, over_sqlite, over_redis, walk = plan
    with tempfile.TemporaryDirectory(prefix="bidlock-demo-") as folder, _cancelled_by_signals():
        async with nursery(Path(folder)) as children:
            stage = Stage(feed, bidders, random.Random(seed), Path(folder), children, say)
            say(f"the seed's way: Redis if it answers, else SQLite; {bidders} bidders, {len(feed.postings)} postings")
            await acts.seed_way(stage, seed_way)
            say(f"bidlock over SQLite: {bidders} bidders, one file, kill -9")
            await acts.over_sqlite(stage, over_sqlite)
            say(f"bidlock over Redis: {bidders} bidders, one server, kill -9 of both")
            await acts.over_redis(stage, over_redis)
            say(f"bidlock walks from SQLite to Redis and back: {bidders} bidders, kill -9 of everybody")
            await walking.walk(stage, walk)
    return Report(seed_way, (over_sqlite, over_redis, walk), len(feed.broken), time.monotonic() - began)


@contextlib.contextmanager
def _cancelled_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the show as Ctrl-C does: in order."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, lambda: task and task.cancel())
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
