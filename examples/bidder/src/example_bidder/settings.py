"""The bot's own flags. Everything about locks comes from `BIDLOCK_*`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bidlock.errors import ConfigurationError
from bidlock.settings import MARGIN_RATE, Settings


@dataclass(frozen=True)
class Options:
    """What the command line says. Times are seconds.

    Attributes:
        feed: File of postings, or their URL; None for standard input.
        follow: Whether to wait for more at the feed's end.
        marketplace: The marketplace's URL.
        name: Under which name to bid.
        concurrency: How many postings are worked on at a time.
        bid_timeout: Longest time for one bid.
        longest_pause: Between two tries of a skipped posting.
        host: Where health and metrics listen.
        port: Likewise; 0 for any free port, -1 for none.
        log_level: `debug`, `info`, `warning` or `error`.
    """

    feed: Path | str | None
    follow: bool
    marketplace: str
    name: str
    concurrency: int
    bid_timeout: float
    longest_pause: float
    host: str
    port: int
    log_level: str


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="example_bidder", description="Bids on every posting of a feed, once in the fleet.")
    parser.add_argument(
        "--feed",
        type=_feed,
        default=None,
        help="JSON lines of postings: a file, or a URL as the example marketplace has one; - or nothing for standard input",
    )
    parser.add_argument("--follow", action="store_true", help="wait for more postings at the end of the feed")
    parser.add_argument("--marketplace", default="http://127.0.0.1:8080", help="where bids go (default: %(default)s)")
    parser.add_argument("--name", default=f"bidder-{os.getpid()}", help="name to bid under (default: bidder-PID)")
    parser.add_argument("--concurrency", type=_positive, default=8, help="postings worked on at a time (default: %(default)s)")
    parser.add_argument("--bid-timeout", type=float, default=30.0, help="longest time for one bid, seconds (default: %(default)s)")
    parser.add_argument("--longest-pause", type=float, default=5.0, help="between two tries, seconds (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="where health and metrics listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="0 for any free port, -1 for none (default: %(default)s)")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    return Options(**vars(parser.parse_args(arguments)))


def check(options: Options, locks: Settings) -> None:
    """Refuse a bid that may outlast its lease.

    Raises:
        ConfigurationError: says which two values to change.
    """
    lease = locks.ttl * (1 - MARGIN_RATE) - locks.margin
    if not 0 < options.bid_timeout < lease:
        raise ConfigurationError(
            f"--bid-timeout {options.bid_timeout:g} must be above 0 and below the lease's {lease:g} s; lower it or raise BIDLOCK_TTL"
        )


def _feed(text: str) -> Path | str | None:
    if text == "-":
        return None
    if text.startswith(("http://", "https://")):
        return text
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
