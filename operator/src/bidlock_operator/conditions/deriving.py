"""From what was seen to a policy's conditions. A condition that does not hold says why, since when, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bidlock.modes import Role
from bidlock_operator.conditions.facts import Facts
from bidlock_operator.conditions.headline import Course, Headline, headline
from bidlock_operator.conditions.values import Condition, ConditionType, Status, set_condition
from bidlock_operator.policies import topology
from bidlock_operator.reasons import Reason, explained

_LOST = frozenset({Reason.AUTHORITY_LOST, Reason.BOTH_OPEN, Reason.OWNER_MISMATCH, Reason.REGISTER_LOST, Reason.REGISTER_OUTDATED})
"""Reasons for which no bidder may bid."""

_HARMLESS = frozenset({Course.RESTS, Course.HELD})


def derive(facts: Facts) -> tuple[Condition, ...]:
    """The conditions that hold or do not hold now; a type that is missing does not apply. Times are `merged`'s."""
    return tuple(_conditions(facts))


def merged(held: Iterable[Condition], new: Iterable[Condition], *, now: str) -> tuple[Condition, ...]:
    """The new conditions with the times of the held ones; types that do not apply any more are left out.

    Args:
        held: The conditions in the status.
        new: What `derive` found.
        now: RFC 3339 in UTC, for those whose status changed.
    """
    fresh = list(new)
    types = {condition.type for condition in fresh}
    result = tuple(condition for condition in held if condition.type in types)
    for condition in fresh:
        result = set_condition(result, condition, now=now)
    return result


def _conditions(facts: Facts) -> Iterator[Condition]:
    news = headline(facts)
    yield _ready(facts, news)
    yield _of(facts, ConditionType.PROGRESSING, news.course is Course.MOVES, news.reason, news.message)
    yield _degraded(facts, news)
    yield _redis(facts, news)
    yield _converged(facts, news)
    yield _warning(facts)
    if news.course is Course.MOVES:
        yield _of(facts, ConditionType.RECONCILING, True, news.reason, news.message)
    if news.course is Course.STUCK:
        yield _of(facts, ConditionType.STALLED, True, news.reason, news.message)


def _ready(facts: Facts, news: Headline) -> Condition:
    """Whether the fleet can bid: enough for one bidder at work, not for every bidder of a roll-out."""
    if facts.register is None or news.reason in _LOST:
        return _of(facts, ConditionType.READY, False, news.reason, news.message)
    if Role.TARGET in facts.relied_on and not _redis_open(facts):
        reason, message = _redis_trouble(facts)
        return _of(facts, ConditionType.READY, False, reason, message)
    if Role.ORIGIN in facts.relied_on and facts.sight and not facts.sight.origin.reachable:
        what = "the operator does not reach the SQLite file; bidders that have it open go on"
        return _of(facts, ConditionType.READY, None, Reason.SQLITE_UNAVAILABLE, explained(Reason.SQLITE_UNAVAILABLE, what))
    if not facts.wanted:
        return _of(facts, ConditionType.READY, True, Reason.SCALED_TO_ZERO, "no bidder is wanted (spec.replicas is 0).")
    if not facts.ready:
        return _of(facts, ConditionType.READY, False, *_nobody_bids(facts))
    return _of(facts, ConditionType.READY, True, Reason.BIDDING, f"{facts.ready} of {facts.wanted} bidders are ready.")


def _degraded(facts: Facts, news: Headline) -> Condition:
    """Whether something is worse than it should be, whoever has to mend it."""
    if facts.problems or news.course is Course.STUCK or news.reason in _TROUBLE:
        return _of(facts, ConditionType.DEGRADED, True, news.reason, news.message)
    if facts.redis_needed and facts.sight and not _redis_open(facts) and news.course not in _HARMLESS and news.reason is not Reason.SEALED:
        reason, message = _redis_trouble(facts)
        return _of(facts, ConditionType.DEGRADED, True, reason, message)
    if facts.register and facts.wanted and not facts.ready:
        return _of(facts, ConditionType.DEGRADED, True, *_nobody_bids(facts))
    for name, what in facts.doubts.items():
        return _of(facts, ConditionType.DEGRADED, True, Reason(name), explained(Reason(name), what))
    return _of(facts, ConditionType.DEGRADED, False, Reason.HEALTHY, "nothing is amiss.")


def _redis(facts: Facts, news: Headline) -> Condition:
    if facts.sight is None:
        return _of(facts, ConditionType.REDIS_READY, None, news.reason, news.message)
    if not facts.redis_needed:
        return _of(facts, ConditionType.REDIS_READY, None, Reason.NOT_NEEDED, "the fleet does not use Redis in this phase.")
    if _redis_open(facts):
        return _of(facts, ConditionType.REDIS_READY, True, Reason.OPEN, "Redis answers and is open.")
    reason, message = _redis_trouble(facts)
    return _of(facts, ConditionType.REDIS_READY, False, reason, message)


def _converged(facts: Facts, news: Headline) -> Condition:
    if facts.converged:
        return _of(facts, ConditionType.PHASE_CONVERGED, True, Reason.CONVERGED, f"the whole fleet is in phase {facts.policy.phase}.")
    if news.course is Course.RESTS:  # a bidder of another mode is still listed
        what = f"bidders of another mode than {facts.register.to if facts.register else 'none'} are still listed"
        return _of(facts, ConditionType.PHASE_CONVERGED, False, Reason.ROLLOUT, explained(Reason.ROLLOUT, what, facts.since))
    return _of(facts, ConditionType.PHASE_CONVERGED, False, news.reason, news.message)


def _warning(facts: Facts) -> Condition:
    found = list(topology.warnings(facts.policy, facts.register))
    if not found:
        return _of(facts, ConditionType.CONFIGURATION_WARNING, False, Reason.NO_WARNINGS, "nothing in the spec is worth a second thought.")
    message = " ".join(explained(reason, what) for reason, what in found)
    return _of(facts, ConditionType.CONFIGURATION_WARNING, True, found[0][0], message)


def _nobody_bids(facts: Facts) -> tuple[Reason, str]:
    return Reason.BIDDERS_UNAVAILABLE, explained(Reason.BIDDERS_UNAVAILABLE, f"none of {facts.wanted} bidders is ready")


def _redis_open(facts: Facts) -> bool:
    return facts.sight is not None and facts.sight.target_ok


def _redis_trouble(facts: Facts) -> tuple[Reason, str]:
    """Why Redis is not open."""
    for name in (Reason.REDIS_EVICTION_UNSAFE, Reason.REDIS_TOO_OLD):
        if name in facts.problems:
            return name, explained(name, facts.problems[name])
    buckets = facts.sight.buckets if facts.sight else ()
    if any(not bucket.reachable for bucket in buckets) or not buckets:
        what = facts.problems.get(Reason.REDIS_UNAVAILABLE, "Redis does not answer")
        return Reason.REDIS_UNAVAILABLE, explained(Reason.REDIS_UNAVAILABLE, what)
    news = headline(facts)
    if news.reason in _LOST:
        return news.reason, news.message
    if any(bucket.sealed for bucket in buckets):
        return Reason.SEALED, explained(Reason.SEALED, "Redis is sealed for a planned stop: it admits nobody, and loses nothing")
    return Reason.OPENING, "Redis answers, and is being opened."


def _of(facts: Facts, kind: ConditionType, holds: bool | None, reason: Reason, message: str) -> Condition:
    status = Status.UNKNOWN if holds is None else Status.TRUE if holds else Status.FALSE
    return Condition(kind, status, reason.value, message, facts.policy.generation)


_TROUBLE = frozenset(
    {
        Reason.BIDDERS_UNAVAILABLE,
        Reason.REDIS_UNAVAILABLE,
        Reason.ROLLBACK_BLOCKED,
        Reason.SQLITE_UNAVAILABLE,
    }
)
