"""What a human wants from a controller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted now.

    Attributes:
        mode: Where the fleet should end up.
        sealed: Buckets that should be sealed (before a planned stop).
        accepted: Quarantine nonces of losses that a human accepted.
        clock_skew_ms: Bound on marketplace clock minus store clock; with an accepted loss the watermark goes this far
            past the moment the store was found closed.
        accept_not_durable: Whether a target that may lose acknowledged writes may get the authority.
        original_bots: Whether original bots may work beside, while the origin has the authority; None leaves it as it is.
    """

    mode: str
    sealed: frozenset[int] = frozenset()
    accepted: frozenset[str] = frozenset()
    clock_skew_ms: int = 60_000
    accept_not_durable: bool = False
    original_bots: bool | None = None
