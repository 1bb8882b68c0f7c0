"""The one thing that matters most about a policy now: every condition that does not hold names it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bidlock.migration import actions
from bidlock_operator.conditions.facts import Facts
from bidlock_operator.policies import MODE_OF
from bidlock_operator.policies.wanting import awaits_approval, holds_before_flip
from bidlock_operator.reasons import Reason, explained


class Course(enum.Enum):
    """Where things go by themselves."""

    RESTS = "rests"
    """Everything is as it should be."""
    MOVES = "moves"
    """The fleet moves, or something is awaited that comes by itself."""
    HELD = "held"
    """A human wanted it to wait."""
    STUCK = "stuck"
    """Without a human nothing will move."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What matters most."""

    course: Course
    reason: Reason
    message: str


def headline(facts: Facts) -> Headline:
    """Find it: what a human holds back, what stops everything, what is decided, what is amiss, what is awaited."""
    if facts.paused:
        return _told(Course.HELD, Reason.PAUSED, "the operator leaves everything as it is, because spec.paused is true")
    return _stopped(facts) or _decided(facts) or _amiss(facts) or _resting(facts)


def _stopped(facts: Facts) -> Headline | None:
    """What has to be cured before anything else is worth telling."""
    for name, message in facts.problems.items():
        if name in STOPPING:
            return _told(Course.STUCK, Reason(name), message)
    return None


def _decided(facts: Facts) -> Headline | None:
    match facts.action:
        case actions.Refuse(Reason.REDIS_UNAVAILABLE, message):  # a server that starts is no reason to call for help
            return _told(Course.MOVES, Reason.REDIS_UNAVAILABLE, _with_problems(message, facts), facts.awaited_since)
        case actions.Halt(reason, message) | actions.Refuse(reason, message):
            return _told(Course.STUCK, Reason(reason), _with_problems(message, facts), facts.awaited_since)
        case actions.Wait(reason, message) if facts.overdue:
            return _told(
                Course.STUCK,
                Reason.ROLLOUT_STALLED,
                f"the step takes longer than it may; it waits ({reason}): {message}",
                facts.awaited_since,
            )
        case actions.Wait(Reason.ROLLOUT, message) if facts.strange_modes:
            return _told(Course.MOVES, Reason.UNKNOWN_MODE, message, facts.awaited_since)
        case actions.Wait(reason, message):
            return _told(Course.MOVES, Reason(reason), _with_problems(message, facts), facts.awaited_since)
        case None | actions.Noop():
            return None
    return _told(Course.MOVES, Reason.WALKING, _way(facts))


def _amiss(facts: Facts) -> Headline | None:
    for name, message in facts.problems.items():
        course = Course.STUCK if name == Reason.CHILD_REFUSED else Course.MOVES  # no store or pod mends that by itself
        return _told(course, Reason(name), message, facts.awaited_since)
    return None


def _resting(facts: Facts) -> Headline:
    """Nothing is decided and nothing is amiss: why it rests, or what is still missing."""
    policy, register, since = facts.policy, facts.register, facts.awaited_since
    if register is None:
        return _told(Course.MOVES, Reason.FOUNDING, "the stores are being taken up for the first time")
    if facts.abandoned:
        return _told(
            Course.STUCK, Reason.ABANDONED, f"the walk to {policy.phase} took too long and was given up (spec.rollout.onFailure)", since
        )
    if facts.soaking_until:
        return _told(
            Course.HELD, Reason.SOAKING, f"the fleet rests in mode {register.to} until {facts.soaking_until} before the next step", since
        )
    if awaits_approval(policy, register):
        return _told(Course.HELD, Reason.AWAITING_APPROVAL, f"the fleet rests in mode {register.to} on its way to {policy.phase}", since)
    if holds_before_flip(policy, register):
        return _told(
            Course.HELD,
            Reason.HELD_BEFORE_FLIP,
            "the fleet rests in mode strict: both stores must agree, and SQLite still has the authority",
            since,
        )
    if not facts.converged:
        return _told(Course.MOVES, Reason.WALKING, _way(facts))
    return _told(Course.RESTS, Reason.SETTLED, f"the fleet rests in mode {register.to}")


def _way(facts: Facts) -> str:
    here = facts.register.to if facts.register else "nothing"
    return f"the fleet is on its way to {facts.policy.phase} (mode {MODE_OF[facts.policy.phase]}), now at {here}"


def _with_problems(message: str, facts: Facts) -> str:
    """What is decided, with why a store does not answer."""
    return ". ".join(text.strip().rstrip(".") for text in (message, *facts.problems.values(), *facts.doubts.values()))


def _told(course: Course, reason: Reason, what: str, since: str = "") -> Headline:
    return Headline(course, reason, explained(reason, what, since))


STOPPING = frozenset(
    {
        Reason.CREDENTIALS_MISSING,
        Reason.OWNER_TAKEN,
        Reason.REDIS_EVICTION_UNSAFE,
        Reason.REDIS_MODE_UNSUPPORTED,
        Reason.REDIS_TOO_OLD,
        Reason.RIGHTS_MISSING,
        Reason.TEMPLATE_INVALID,
        Reason.UNSAFE_FILESYSTEM,
    }
)
"""Problems that have to be cured before anything else is worth telling."""
