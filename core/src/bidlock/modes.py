"""The five modes of the migration as data: which stores an attempt must lease, and in which order it claims.

Two attempts exclude each other when their modes require a common store; everything else follows from this table.
`origin` is the store a fleet comes from (SQLite), `target` the one it goes to (Redis).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Role(enum.Enum):
    """The part a store plays in a migration."""

    ORIGIN = "origin"
    TARGET = "target"

    __hash__ = object.__hash__  # Enum's own is written in Python, and every step of an attempt looks a store up by its role


@dataclass(frozen=True, slots=True)
class Mode:
    """One row of the table.

    Attributes:
        name: As stores record it in their window.
        required: Stores whose lease the attempt needs, in the order it acquires them.
        best_effort: Stores acquired before the required ones when they answer; no answer is no obstacle.
        claims: Stores whose marker must be claimed before the bid, in this order; the last is the commit point.
        confirms: Stores asked once more, after every lease is held, whether theirs still is.
        marks: Stores that get the marker after the bid, if they answer.
    """

    name: str
    required: tuple[Role, ...]
    claims: tuple[Role, ...]
    best_effort: tuple[Role, ...] = ()
    confirms: tuple[Role, ...] = ()
    marks: tuple[Role, ...] = ()

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every store the mode touches, in the order it acquires them."""
        return self.best_effort + self.required

    @property
    def single(self) -> bool:
        """Whether one store alone decides, and no other is touched."""
        return len({*self.roles, *self.marks}) == 1


_ORIGIN, _TARGET = Role.ORIGIN, Role.TARGET

MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("sqlite", required=(_ORIGIN,), claims=(_ORIGIN,)),
        Mode("dual", required=(_ORIGIN,), claims=(_ORIGIN,), best_effort=(_TARGET,), marks=(_TARGET,)),
        Mode("strict", required=(_TARGET, _ORIGIN), claims=(_ORIGIN, _TARGET), confirms=(_TARGET,)),
        Mode("primary", required=(_TARGET,), claims=(_TARGET,), marks=(_ORIGIN,)),
        Mode("only", required=(_TARGET,), claims=(_TARGET,)),
    )
}
