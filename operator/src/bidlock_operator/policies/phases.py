"""The four phases that a human names, and the five modes in which the protocol walks them."""

from __future__ import annotations

import enum


class Phase(enum.StrEnum):
    """Where the locks should be, in the order in which a fleet walks."""

    SQLITE = "SQLite"
    DUAL_SUPPORT = "DualSupport"
    REDIS_PRIMARY = "RedisPrimary"
    REDIS_ONLY = "RedisOnly"


MODE_OF = {Phase.SQLITE: "sqlite", Phase.DUAL_SUPPORT: "dual", Phase.REDIS_PRIMARY: "primary", Phase.REDIS_ONLY: "only"}
"""The mode in which a phase is reached. `strict` lies between two phases: both stores vote, and Redis is not trusted yet."""

_PHASE_OF = {mode: phase for phase, mode in MODE_OF.items()} | {"strict": Phase.DUAL_SUPPORT}


def phase_of(mode: str) -> Phase:
    """The phase that a fleet settled in `mode` has reached; in `strict` that is still the one below RedisPrimary."""
    return _PHASE_OF[mode]
