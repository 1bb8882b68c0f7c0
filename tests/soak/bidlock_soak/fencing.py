"""The trigger fence of a soak, without which no original bot begins."""

from __future__ import annotations

from bidlock.errors import BackendError
from bidlock.migration.port import FencesOriginalBots, OriginStore, Outcome
from bidlock.migration.registerfile import RegisterFile


class Fence:
    """Built whenever the fleet has come to an end of its walk: at SQLite original bots are admitted again."""

    def __init__(self, origin: OriginStore, file: RegisterFile) -> None:
        assert isinstance(origin, FencesOriginalBots)
        self._origin = origin
        self._file = file

    async def build(self) -> None:
        """Build it, if the file is there; original bots that wait for it begin."""
        kept = self._file.read()
        if kept is None or kept.register is None:
            return
        try:
            outcome = await self._origin.install_fence(kept.register.epoch)
        except BackendError:
            return
        if outcome is Outcome.OK:
            self._file.path.with_suffix(".fenced").touch()
