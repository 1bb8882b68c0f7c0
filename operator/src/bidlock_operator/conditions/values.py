"""Status conditions as pure functions: values in, values out."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


class ConditionType(enum.StrEnum):
    """What a policy's status can say; the list is closed."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    REDIS_READY = "RedisReady"
    PHASE_CONVERGED = "PhaseConverged"
    CONFIGURATION_WARNING = "ConfigurationWarning"
    RECONCILING = "Reconciling"
    """For kstatus: present while the operator works towards the spec."""
    STALLED = "Stalled"
    """For kstatus: present when the operator cannot go on without help."""


class Status(enum.StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        type: What it is about.
        status: Whether it holds.
        reason: Why, one CamelCase word for programs.
        message: Why, and what to do, for humans.
        observed_generation: Generation of the spec it was derived from.
        last_transition_time: When `status` last changed, RFC 3339 in UTC; `set_condition` fills it in.
    """

    type: ConditionType
    status: Status
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Condition:
        """From an entry of `status.conditions`."""
        return cls(
            ConditionType(raw["type"]),
            Status(raw["status"]),
            str(raw["reason"]),
            str(raw.get("message", "")),
            int(raw.get("observedGeneration", 0)),
            str(raw["lastTransitionTime"]),
        )

    def manifest(self) -> dict[str, Any]:
        """As an entry of `status.conditions`."""
        return {
            "type": self.type.value,
            "status": self.status.value,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": self.observed_generation,
            "lastTransitionTime": self.last_transition_time,
        }


def set_condition(conditions: Iterable[Condition], new: Condition, *, now: str) -> tuple[Condition, ...]:
    """Put a condition in, in place of the one of its type.

    The time of the last transition is kept while the status stays the same, whatever else changes; so an unchanged
    condition gives back equal conditions, and nothing needs to be written.

    Args:
        conditions: The conditions there are.
        new: The one to put in; its own `last_transition_time` is ignored.
        now: RFC 3339 in UTC; used when the status changed or the type is new.

    Returns:
        The conditions with the new one, in the order they had; a new type comes last.
    """
    held = {condition.type: condition for condition in conditions}
    old = held.get(new.type)
    since = old.last_transition_time if old and old.status is new.status else now
    held[new.type] = replace(new, last_transition_time=since)
    return tuple(held.values())


def drop_condition(conditions: Iterable[Condition], kind: ConditionType) -> tuple[Condition, ...]:
    """Take the condition of a type out, if it is there; kstatus reads a missing `Stalled` as well."""
    return tuple(condition for condition in conditions if condition.type is not kind)
