"""What a controller does, in words for humans."""

from __future__ import annotations

import dataclasses
import enum

from bidlock.migration import actions


def sentence(action: actions.Action) -> str:
    """An action in one line."""
    if isinstance(action, actions.Noop):
        return "settled"
    name = type(action).__name__
    if isinstance(action, actions.Wait | actions.Refuse | actions.Halt):
        return f"{name} {action.reason}: {action.message}"
    values = [_shown(getattr(action, field.name)) for field in dataclasses.fields(action)]
    return " ".join([name, *filter(None, values)])


def _shown(value: object) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, frozenset):
        return "+".join(sorted(map(str, value))) or "nothing"
    return "" if value in ("", 0, False) else str(value)[:16]
