"""What conditions follow from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bidlock.migration.actions import Action
from bidlock.migration.register import Register
from bidlock.migration.sight import LEGACY, Sight
from bidlock.modes import MODES, Role
from bidlock_operator.policies import MODE_OF, Policy


@dataclass(frozen=True, slots=True)
class Facts:
    """How things are at the end of a look.

    Attributes:
        policy: What a human asks for.
        register: How far the fleet is; None before it is founded.
        sight: What was seen of the stores and the fleet; None when nothing was looked at.
        action: What was decided; None likewise.
        ready: Bidders that are ready.
        wanted: Bidders that shall run, as far as the topology allows.
        redis_needed: Whether Redis matters now.
        since: Since when the present action is what is decided, RFC 3339; empty when that is not known.
        resting: Since when the fleet rests short of what is asked for, likewise.
        overdue: Whether the running step has taken longer than it may.
        abandoned: Whether the walk was given up.
        soaking_until: When the next step may begin; empty when nothing soaks.
        paused: Whether the policy is left alone on purpose.
        problems: What is amiss, by the word of its reason, a sentence each.
        doubts: What is worse than it should be while everything goes on, likewise.
    """

    policy: Policy
    register: Register | None = None
    sight: Sight | None = None
    action: Action | None = None
    ready: int = 0
    wanted: int = 1
    redis_needed: bool = False
    since: str = ""
    resting: str = ""
    overdue: bool = False
    abandoned: bool = False
    soaking_until: str = ""
    paused: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)

    @property
    def converged(self) -> bool:
        """Whether the whole fleet is where it is wanted, and no bidder of another mode is listed. Original bots are no bidders of it."""
        if self.register is None or not self.register.settled or self.register.to != MODE_OF[self.policy.phase]:
            return False
        return self.sight is None or self.sight.fleet.modes <= {self.register.to, LEGACY}

    @property
    def awaited_since(self) -> str:
        """Since when it is as it is: the running step's action, or a rest that is not where the fleet should be."""
        return self.since or ("" if self.converged else self.resting)

    @property
    def strange_modes(self) -> frozenset[str]:
        """What listed bidders carry as their mode, and is none."""
        return frozenset() if self.sight is None else self.sight.fleet.modes - set(MODES) - {LEGACY}

    @property
    def relied_on(self) -> frozenset[Role]:
        """The stores without which the bidders of the present template cannot bid."""
        if self.sight is None or self.sight.fleet.template not in MODES:
            return frozenset()
        return frozenset(MODES[self.sight.fleet.template].required)
