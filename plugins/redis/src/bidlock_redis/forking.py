"""After a fork the child must not use its parent's connections: replies would go to the wrong process."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Abandons(Protocol):
    """What has connections."""

    def abandon(self) -> None:
        """Forget them without touching them."""


_LIVING: weakref.WeakSet[Abandons] = weakref.WeakSet()


def register(owner: Abandons) -> None:
    """Have `owner` abandon its connections in every forked child."""
    _LIVING.add(owner)


def _in_child() -> None:
    for owner in list(_LIVING):
        owner.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
