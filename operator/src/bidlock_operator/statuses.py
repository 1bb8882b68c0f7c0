"""What a policy's status remembers beside the register, and how it changes. Times are RFC 3339 in UTC, to the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bidlock.migration.register import Register
from bidlock_operator import policies, registers


@dataclass(frozen=True, slots=True)
class Remembered:
    """A status, read.

    Attributes:
        raw: All of it, as the API server has it.
        register: The register; None before a fleet is founded.
        template: Mode in which new bidders start; empty before.
        ttl_max_seconds: Longest lease that the stores admit; 0 before.
        settled_at: Since when the fleet rests in its mode; empty while it moves, or rests where it was founded.
        started_at: Since when the running step runs; empty at rest.
        abandoned: Generation of the spec whose walk was given up; 0 for none.
    """

    raw: Mapping[str, Any] = field(default_factory=dict)
    register: Register | None = None
    template: str = ""
    ttl_max_seconds: int = 0
    settled_at: str = ""
    started_at: str = ""
    abandoned: int = 0


def read(body: Mapping[str, Any]) -> Remembered:
    """The status of a policy."""
    raw: Mapping[str, Any] = body.get("status") or {}
    return Remembered(
        raw=raw,
        register=registers.read(raw),
        template=str(raw.get("templateMode", "")),
        ttl_max_seconds=int(raw.get("ttlMaxSeconds", 0)),
        settled_at=str(raw.get("settledAt", "")),
        started_at=str((raw.get("transition") or {}).get("startedAt", "")),
        abandoned=int((raw.get("abandoned") or {}).get("generation", 0)),
    )


def founded(remembered: Remembered, register: Register, ttl_max_seconds: int, now: str) -> dict[str, Any]:
    """The status of a fleet whose register was just made."""
    status = registered(remembered, register, "Founding", now)
    status.pop("settledAt", None)  # it rested there before
    return status | {"ttlMaxSeconds": ttl_max_seconds, "templateMode": register.to}


def registered(remembered: Remembered, register: Register, step: str, now: str) -> dict[str, Any]:
    """The status with another register.

    Args:
        remembered: The status as it is.
        register: What it shall say.
        step: What is done, one word.
        now: The present time.
    """
    status = {**remembered.raw, **registers.write(register)}
    former = remembered.register
    if register.settled:
        status["currentPhase"] = policies.phase_of(register.to).value
        if former is not None and not former.settled:
            status["settledAt"] = now
        status.pop("transition", None)
        return status
    status.pop("settledAt", None)
    return status | {"transition": transition(remembered, register, step, "", now)}


def transition(remembered: Remembered, register: Register, step: str, message: str, now: str) -> dict[str, Any]:
    """The running step, and what it is doing since when."""
    old: Mapping[str, Any] = remembered.raw.get("transition") or {}
    name = f"{register.source}-{register.to}-{register.epoch:x}"
    same = old.get("id") == name
    since = old["stepStartedAt"] if same and old.get("step") == step else now
    told = {"message": message[:1024]} if message else {}
    return {"id": name, "step": step, "startedAt": old["startedAt"] if same else now, "stepStartedAt": since, **told}


def text(moment: datetime) -> str:
    """A moment as the API server writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(moment: str, now: datetime) -> float:
    """Seconds from a moment in a status until now."""
    return (now - datetime.fromisoformat(moment)).total_seconds()
