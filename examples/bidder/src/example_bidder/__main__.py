"""`python -m example_bidder`: bid until the feed ends or SIGTERM comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

import structlog

import bidlock
from bidlock.errors import ConfigurationError
from bidlock.settings import Settings
from example_bidder import feed, settings, telemetry
from example_bidder.bot import Bot
from example_bidder.marketplace import Marketplace
from example_bidder.retrying import Backoff

log = structlog.get_logger()


async def run(options: settings.Options) -> None:
    """Put the parts together and work."""
    settings.check(options, Settings.read(os.environ))
    metrics = telemetry.Metrics()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # first of all: while nobody listens, the signal ends the process, or is lost
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopping)
    async with contextlib.AsyncExitStack() as stack:
        if options.port >= 0:
            await _serve(stack, options, stopping, metrics)
        marketplace = await stack.enter_async_context(Marketplace(options.marketplace, options.name, options.bid_timeout))
        locks = await stack.enter_async_context(bidlock.connect())
        bot = Bot(locks, marketplace, concurrency=options.concurrency, backoff=Backoff(longest=options.longest_pause), metrics=metrics)
        log.info("started", name=options.name)
        ending = asyncio.create_task(_stop_with(bot, stopping))
        await bot.run(feed.read(options.feed, follow=options.follow))
        ending.cancel()
    log.info("finished", stopped=stopping.is_set())


async def _serve(stack: contextlib.AsyncExitStack, options: settings.Options, stopping: asyncio.Event, metrics: telemetry.Metrics) -> None:
    from example_bidder import health  # a bidder without a port starts faster

    serving = health.serving(options.host, options.port, ready=lambda: not stopping.is_set(), metrics=metrics)
    log.info("listening", host=options.host, port=await stack.enter_async_context(serving))


def _stop(stopping: asyncio.Event) -> None:
    log.info("stopping")
    stopping.set()


async def _stop_with(bot: Bot, stopping: asyncio.Event) -> None:
    await stopping.wait()
    bot.stop()


def main() -> int:
    """Entry point; the exit code is 0 when the feed was worked through or a signal came, 2 for a wrong configuration."""
    options = settings.parse()
    telemetry.configure_logs(options.log_level)
    try:
        asyncio.run(run(options))
    except ConfigurationError as error:
        print(f"example_bidder: {error}", file=sys.stderr)  # noqa: T201 — for the human who started it
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
