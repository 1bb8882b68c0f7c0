"""How a walk goes on, told step by step."""

from __future__ import annotations

import dataclasses
import enum
import sys
from typing import Any

from bidlock.cli import output
from bidlock.cli.standing import CALLED
from bidlock.migration import actions
from bidlock.migration.controller import Step
from bidlock.migration.sight import Sight
from bidlock.migration.telling import sentence


class Progress:
    """Tells each step once; a wait only when it begins."""

    def __init__(self, *, quiet: bool) -> None:
        self.steps: list[dict[str, Any]] = []
        self._quiet = quiet
        self._last: object = None

    def document(self, last: Step) -> dict[str, Any]:
        """Every step that was told, and the last one's action, for programs."""
        return {"steps": self.steps, "last": _action(last.action)}

    def told(self, step: Step) -> None:
        """Take a step in, and print it."""
        if (step.action, step.result) == self._last:
            return
        self._last = (step.action, step.result)
        self.steps.append(_action(step.action) | {"result": step.result})
        if not self._quiet:
            failed = "" if step.result == "OK" else f"  ({step.result}; looking again)"
            output.line(f"{_where(step.sight):<28} {sentence(step.action)}{failed}")
            sys.stdout.flush()


def _action(action: actions.Action) -> dict[str, Any]:
    facts = {field.name: getattr(action, field.name) for field in dataclasses.fields(action)}
    return {"action": type(action).__name__} | {
        name: sorted(value) if isinstance(value, frozenset) else value.value if isinstance(value, enum.Enum) else value
        for name, value in facts.items()
    }


def _where(sight: Sight) -> str:
    register = sight.register
    mode = CALLED[register.to] if register.settled else f"{CALLED[register.source]}->{CALLED[register.to]}"
    return f"[{mode} {register.authority.value}]"
