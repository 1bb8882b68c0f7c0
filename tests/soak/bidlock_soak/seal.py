"""A planned stop of Redis: how the soak tells the controller, and the controller the soak."""

from __future__ import annotations

from pathlib import Path


class Seal:
    """Two files beside the register; whoever comes next finds them, too.

    Attributes:
        wanted: There while Redis should be sealed.
        stoppable: There once the controller has said that it is safe to stop it.
    """

    def __init__(self, register: Path) -> None:
        self.wanted = register.with_suffix(".seal")
        self.stoppable = register.with_suffix(".stoppable")

    def wish(self) -> None:
        """Ask for it."""
        self.stoppable.unlink(missing_ok=True)
        self.wanted.touch()

    def take_back(self) -> None:
        """Ask for it no more."""
        self.wanted.unlink(missing_ok=True)
