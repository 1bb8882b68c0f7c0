"""A `BidLockPolicy` as a typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator reads of a policy today.

    Attributes:
        namespace: Where it lives.
        name: Its name there.
        uid: Its identity; a policy that is deleted and made again has another one.
        generation: Counts the changes of its spec.
        phase: The phase it asks for; empty when the spec names none.
        paused: Whether the operator shall leave it alone.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    phase: str = ""
    paused: bool = False


def read(body: Mapping[str, Any]) -> Policy:
    """Read an object as the API server sends it."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    return Policy(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
        generation=int(metadata.get("generation", 0)),
        phase=str(spec.get("phase", "")),
        paused=bool(spec.get("paused", False)),
    )
