"""The bids on disk, one JSON object a line, so that a count survives the process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from example_marketplace.ledger import Bid


class Journal:
    """Appends bids to a file, each flushed before the bidder gets its answer."""

    def __init__(self, path: Path) -> None:
        cut = path.exists() and not path.read_bytes().endswith(b"\n")
        self._file = path.open("a", encoding="utf-8")
        if cut:
            self._file.write("\n")

    def append(self, bid: Bid) -> None:
        """Write the bid and hand it to the operating system: it survives a kill of this process."""
        self._file.write(json.dumps(bid._asdict()) + "\n")
        self._file.flush()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Bid]:
    """Yield the bids of a journal. A line that a kill cut in half is left out: its bidder never got an answer."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                yield Bid(**json.loads(line))
