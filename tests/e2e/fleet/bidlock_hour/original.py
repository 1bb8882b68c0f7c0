"""An original bot as it runs in its pod: reads the marketplace's feed, and guards each bid with a row in its table. Nothing of ours."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

from original_bot import create, give_back, take

TTL = 20.0
"""Seconds; the originals' own default is 300, for which the flip would wait."""


def postings(marketplace: str) -> Iterator[dict[str, Any]]:
    """New postings as they come."""
    with urllib.request.urlopen(f"{marketplace}/postings?last=0&follow=1", timeout=60) as feed:
        for line in feed:
            if line.strip():
                yield json.loads(line)


def bid(marketplace: str, posting: dict[str, Any]) -> None:
    """Place a bid."""
    words = {"marketplace": posting["marketplace"], "id": posting["id"], "bidder": "original", "amount": 50, "token": 0}
    request = urllib.request.Request(f"{marketplace}/bids", json.dumps(words).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()


def main(path: str, marketplace: str) -> None:
    """Work for good; whatever stands in the way of a lock is a posting that somebody else has."""
    create(path)
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    for posting in postings(marketplace):
        names = posting["marketplace"], posting["id"], holder
        try:
            if take(path, *names, TTL):
                bid(marketplace, posting)
                give_back(path, *names)
        except sqlite3.OperationalError as error:
            print(posting["id"], error, flush=True)  # noqa: T201 — its log


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
