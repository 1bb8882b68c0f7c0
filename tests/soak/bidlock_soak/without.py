"""The hidden switch: a protocol with one part removed, to see whether the checker cries.

Only the soak's own controller reads it.
"""

from __future__ import annotations

import os
from typing import Any

from bidlock.migration.port import MarkerRow, Outcome

VARIABLE = "SOAK_WITHOUT"
COPY = "copy"


class _NoCopy:
    """A store into which nothing is ever copied, though it says so."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """Forget the markers."""
        return Outcome.OK


def maimed(store: Any) -> Any:
    """The store without what the switch removes; the store itself when it removes nothing.

    Raises:
        ValueError: there is no such switch.
    """
    missing = os.environ.get(VARIABLE, "")
    if missing not in ("", COPY):
        raise ValueError(f"{VARIABLE}={missing!r}: only {COPY!r} can be left out")
    return _NoCopy(store) if missing == COPY else store
