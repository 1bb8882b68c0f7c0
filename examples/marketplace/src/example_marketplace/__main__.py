"""`python -m example_marketplace`: run the marketplace until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path

from aiohttp import web

from example_marketplace import journal, server
from example_marketplace.feed import Feed, keep_offering
from example_marketplace.ledger import Ledger


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="example_marketplace", description="Accepts bids over HTTP and counts duplicates.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on; 0 for any free one (default: %(default)s)")
    parser.add_argument("--port-file", type=Path, help="write the port into this file once bids are accepted")
    parser.add_argument("--journal", type=Path, help="append every bid to this file; counted again after a restart")
    parser.add_argument("--refuse", type=float, default=0.0, help="share of postings, 0 to 1, that take no bids (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, help="longest time an answer takes, seconds (default: %(default)s)")
    parser.add_argument("--feed", type=Path, help="serve the postings of this file at /postings, as it grows")
    parser.add_argument("--offer", type=float, default=0.0, help="make up as many postings a second, appended to the feed")
    options = parser.parse_args()
    if options.offer and not options.feed:
        parser.error("--offer needs --feed, the file to which postings are appended")
    return options


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ledger, feed = Ledger(options.refuse), Feed(options.feed) if options.feed else None
    offering = asyncio.create_task(keep_offering(feed, options.offer)) if feed and options.offer else None
    with contextlib.ExitStack() as stack:
        if offering:
            stack.callback(offering.cancel)
        kept = None
        if options.journal:
            for bid in journal.read(options.journal):
                ledger.accept(bid)
            kept = stack.enter_context(journal.Journal(options.journal))
        runner = web.AppRunner(server.journaled(ledger, kept, latency=options.latency, feed=feed).application(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, options.host, options.port, shutdown_timeout=2).start()
            _announce(runner, options.port_file)
            await stop.wait()
        finally:
            await runner.cleanup()


def _announce(runner: web.AppRunner, port_file: Path | None) -> None:
    """Say where the marketplace listens; the file appears whole, so that a reader never sees half a number."""
    host, port = runner.addresses[0][:2]
    print(f"marketplace on http://{host}:{port}", flush=True)  # noqa: T201 — it is what a human waits for
    if port_file:
        whole = port_file.with_name(f"{port_file.name}.{os.getpid()}")
        whole.write_text(f"{port}\n")
        whole.replace(port_file)


def main() -> None:
    """Entry point."""
    asyncio.run(run(arguments()))


if __name__ == "__main__":
    main()
