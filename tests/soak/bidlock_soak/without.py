"""The hidden switch: a protocol with one part removed, to see whether the checker cries.

Only the soak's own controller reads it.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from bidlock.migration.port import MarkerRow, Outcome
from bidlock.migration.registerfile import RegisterFile

VARIABLE = "SOAK_WITHOUT"


class _Store:
    """A store that does as it is told, but for what a subclass removes."""

    def __init__(self, store: Any, register: RegisterFile) -> None:
        self._store = store
        self._register = register

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class _NoCopy(_Store):
    """Nothing is ever copied into it, though it says so."""

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """Forget the markers."""
        return Outcome.OK


class _NoWindows(_Store):
    """It goes on admitting every mode that it was once told to admit, though it says otherwise."""

    def __init__(self, store: Any, register: RegisterFile) -> None:
        super().__init__(store, register)
        self._closed: frozenset[str] = frozenset()

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """Refuse older controllers, and nobody else."""
        self._closed |= modes
        return Outcome((await self._store.fence(frozenset(), epoch, bucket)).value)

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """As little."""
        return await self.fence(frozenset({mode}), epoch, bucket)

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """Open it, as always."""
        self._closed -= {mode}
        return Outcome((await self._store.open_mode(mode, epoch, bucket)).value)

    async def survey(self, epoch: int) -> Any:
        """What there would be to see."""
        seen = await self._store.survey(epoch)
        return tuple(map(self._pretended, seen)) if isinstance(seen, tuple) else self._pretended(seen)

    def _pretended(self, seen: Any) -> Any:
        return dataclasses.replace(seen, modes=seen.modes - self._closed, drained=True)


class _NoIncarnation(_Store):
    """A server that comes back, with or without what it knew, is taken for the one that was there."""

    async def survey(self, epoch: int) -> Any:
        """Nothing was ever lost. Who founds a register (epoch 0) is told the truth: there was nothing yet."""
        seen = await self._store.survey(epoch)
        return tuple(map(self._pretended, seen)) if epoch and isinstance(seen, tuple) else seen

    def _pretended(self, seen: Any) -> Any:
        """A bucket without meta looks like one of this fleet that only restarted, with everything it had counted."""
        kept = self._register.read()
        if seen.initialised or kept is None:
            return seen
        return dataclasses.replace(seen, initialised=True, running=False, durable=True, counter=FULL, owner=kept.owner)


FULL = 1 << 62
"""More than anybody has counted."""

INCARNATION = "incarnation"
PARTS = {"": lambda store, register: store, "copy": _NoCopy, "windows": _NoWindows, INCARNATION: _NoIncarnation}


def maimed(store: Any, register: RegisterFile) -> Any:
    """The store without what the switch removes; the store itself when it removes nothing.

    Args:
        store: The store.
        register: Of the controller that uses it.

    Raises:
        ValueError: there is no such switch.
    """
    missing = os.environ.get(VARIABLE, "")
    if missing not in PARTS:
        raise ValueError(f"{VARIABLE}={missing!r}: what can be left out is {', '.join(filter(None, PARTS))}")
    return PARTS[missing](store, register)
