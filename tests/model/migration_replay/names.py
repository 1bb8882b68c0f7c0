"""What the model calls `loss1`, `seal0` or `file2` has random names in real stores, and its clock of faults is not theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from migration_model.world import World

from bidlock.migration import actions
from bidlock.migration.register import Register
from bidlock.migration.sight import Sight

Known = TypeVar("Known", bound=actions.RegisterWrite | actions.StoreWrite)


class Names:
    """From the model's names to the real ones. Names are learned when they appear."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}
        self._since: dict[str, int] = {}
        self._watermarks: dict[int, int] = {0: 0}

    def real(self, name: str) -> str:
        """The real name; one that nobody has learned stays as it is, and so differs."""
        return self._real.get(name, name)

    def watermark(self, mark: int) -> int:
        """The real watermark, Unix milliseconds; -1 for an unknown one."""
        return self._watermarks.get(mark, -1)

    def learn(self, world: World, sight: Sight) -> None:
        """Whatever has a name in the model by now and is seen in the real stores."""
        self._learn(world.files[0].domain if world.files[0].initialised else "", sight.origin.domain)
        for modelled, seen in zip(world.buckets, sight.buckets, strict=True):
            if modelled.planted and seen.quarantine and modelled.planted[0] not in self._real:
                self._learn(modelled.planted[0], seen.quarantine.nonce)
                self._since[seen.quarantine.nonce] = seen.quarantine.since_ms

    def learn_register(self, world: World, register: Register) -> None:
        """Seals and watermarks are named by the register's own writes."""
        assert world.known is not None
        for modelled, real in zip(world.known.buckets, register.buckets, strict=True):
            self._learn(modelled.seal, real.seal)
        self._watermarks.setdefault(world.known.watermark, register.watermark_ms)

    def _learn(self, name: str, real: str) -> None:
        if name and real:
            self._real.setdefault(name, real)

    def translated(self, action: Known) -> Known:
        """The action with real names."""
        changes: dict[str, object] = {}
        for field in ("nonce", "seal", "domain"):
            if hasattr(action, field):
                changes[field] = self.real(getattr(action, field))
        if isinstance(action, actions.Incarnate) and action.watermark_ms:
            changes["watermark_ms"] = self._since[self.real(action.nonce)]
        return replace(action, **changes)  # type: ignore[arg-type]  # names are checked by replace itself
