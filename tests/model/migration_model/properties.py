"""What must hold in every state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration_model.scenario import GAP, MUTEX, ONCE, TOKEN
from migration_model.upkeep import is_live
from migration_model.world import World

from bidlock.modes import MODES, Role

if TYPE_CHECKING:
    from migration_model.search import Model


def broken(world: World, model: Model) -> str | None:
    """The property that does not hold here; None if all do."""
    checks = model.scenario.checks
    if world.past.bids > 1 and ONCE in checks:
        return ONCE
    if world.past.token < 0 and TOKEN in checks:
        return TOKEN
    if MUTEX in checks and sum(a is not None and model.bidders.holds(a) for a in world.attempts) > 1:
        return MUTEX
    return GAP if GAP in checks and _locked_out(world) else None


def _locked_out(world: World) -> bool:
    """A listed bidder's mode is admitted nowhere, although its stores work."""
    if world.fleet is None:
        return False
    return any(not admitted(world, mode) for mode in world.fleet.modes)


def admitted(world: World, mode: str) -> bool:
    """Whether every store that a mode requires admits it, or is closed for another reason."""
    required, file, bucket = MODES[mode].required, world.files[0], world.buckets[0]
    if Role.ORIGIN in required and mode not in file.modes:
        return False
    return Role.TARGET not in required or not is_live(bucket) or bool(bucket.sealed) or mode in bucket.modes
