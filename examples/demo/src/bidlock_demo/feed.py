"""The feed: made up from a seed, or the user's own file; and each bidder's own order of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bidlock.errors import ConfigurationError
from bidlock_demo import wording
from example_bidder.feed import Broken, Job, parse

FIRST_POSTED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""Creation stamp of the first made-up posting: the same feed from the same seed, whatever the day."""

REPEATED = 0.05
"""Part of the made-up postings that come a second time, as when a scanner reads two pages that overlap."""

DISORDER = 24
"""How many places a line may move in a bidder's order: scanners see a new posting at about the same time, none at the same instant."""


class FeedError(ConfigurationError):
    """The feed cannot be used."""


class Key(NamedTuple):
    """A posting's identity."""

    marketplace: str
    id: str


@dataclass(frozen=True)
class Feed:
    """The lines that every bidder works through.

    Attributes:
        lines: As they stand in the feed, repeated and broken ones included.
        postings: The different postings in them.
        broken: Lines that are no posting.
    """

    lines: tuple[bytes, ...]
    postings: frozenset[Key]
    broken: tuple[Broken, ...]

    def order(self, rng: random.Random) -> list[bytes]:
        """The lines as one bidder happens to see them."""
        places = {number: number + rng.uniform(0, DISORDER) for number in range(len(self.lines))}
        return [self.lines[number] for number in sorted(places, key=places.__getitem__)]


def generate(postings: int, seed: int) -> Feed:
    """Make up a feed; the same for the same arguments.

    Args:
        postings: How many different ones.
        seed: Chooses everything else.
    """
    rng = random.Random(seed)
    lines: list[str] = []
    seen: set[Key] = set()
    moment = FIRST_POSTED
    while len(seen) < postings:
        moment += timedelta(seconds=rng.randint(2, 90))
        key = Key(*rng.choice(_KINDS)(rng))
        if key not in seen:
            seen.add(key)
            lines.append(_line(key, rng, moment))
    for line in rng.sample(lines, round(postings * REPEATED)):
        lines.insert(lines.index(line) + rng.randint(1, 30), line)
    for line in wording.BROKEN if postings > len(wording.BROKEN) else ():
        lines.insert(rng.randrange(len(lines)), line)
    return read([line.encode() for line in lines])


def load(path: Path) -> Feed:
    """Read the user's own feed.

    Raises:
        FeedError: there is no such file, or no posting in it.
    """
    try:
        feed = read(path.read_bytes().splitlines())
    except OSError as error:
        raise FeedError(f"the feed {path} cannot be read ({error.strerror}); give a file of JSON lines with {_FIELDS}") from error
    if not feed.postings:
        first = f"; line {feed.broken[0].number}: {feed.broken[0].reason}" if feed.broken else ""
        raise FeedError(f"there is no posting in {path}{first}; write one JSON object a line with {_FIELDS}")
    return feed


def read(lines: Sequence[bytes]) -> Feed:
    """Sort lines into postings and broken ones; empty lines do not count."""
    kept = tuple(line for line in lines if line.strip())
    parsed = [parse(line, number) for number, line in enumerate(lines, 1) if line.strip()]
    return Feed(
        kept,
        frozenset(Key(item.marketplace, item.id) for item in parsed if isinstance(item, Job)),
        tuple(item for item in parsed if isinstance(item, Broken)),
    )


_FIELDS = "marketplace, id, title, budget, posted_at"


def _line(key: Key, rng: random.Random, posted_at: datetime) -> str:
    fields = {
        "marketplace": key.marketplace,
        "id": key.id,
        "title": rng.choice(wording.TITLES),
        "budget": rng.choice((50, 80, 120, 250, 400, 750, 1500, 3000)) + rng.randint(0, 9),
        "posted_at": posted_at.isoformat().replace("+00:00", "Z"),
    }
    return json.dumps(fields, ensure_ascii=False)


def _freelancer(rng: random.Random) -> tuple[str, str]:
    return "freelancer", str(rng.randint(38_000_000, 39_999_999))


def _upwork(rng: random.Random) -> tuple[str, str]:
    return "upwork", f"~01{rng.getrandbits(64):016x}"


def _fiverr(rng: random.Random) -> tuple[str, str]:
    return "fiverr", "-".join([*rng.sample(wording.SLUGS, rng.randint(3, 6)), f"{rng.getrandbits(16):04x}"])


_KINDS: tuple[Callable[[random.Random], tuple[str, str]], ...] = (_freelancer, _upwork, _fiverr)
