"""Which parts a fleet needs now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bidlock.migration.register import Register
from bidlock.modes import MODES, Role
from bidlock_operator import policies
from bidlock_operator.policies import Policy


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to run, or to be reached, beside the bidders.

    Attributes:
        redis: Whether Redis matters.
        agent: Whether the SQLite file matters.
    """

    redis: bool
    agent: bool


NOTHING = Needs(redis=False, agent=False)


def needs(policy: Policy, register: Register | None, *, redis_was_there: bool) -> Needs:
    """What matters now.

    Args:
        policy: What a human asks for.
        register: How far the fleet is; None before it is founded: then both stores are looked at, as far as they exist.
        redis_was_there: Whether a volume of Redis is there.
    """
    asked = policies.MODE_OF[policy.phase]
    if register is None:
        return Needs(redis=not policy.redis.managed or redis_was_there or Role.TARGET in _touched(asked), agent=True)
    touched = _touched(register.source) | _touched(register.to) | _touched(asked)
    held = {register.authority} | ({Role.ORIGIN} if register.recovering else set())
    return Needs(redis=Role.TARGET in touched | held, agent=Role.ORIGIN in touched | held)


def _touched(mode: str) -> set[Role]:
    return {*MODES[mode].roles, *MODES[mode].marks}
