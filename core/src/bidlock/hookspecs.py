"""What a plugin may contribute (backends) or observe (events about locks)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from bidlock.backend import Backend, BackendConfig, Capabilities
    from bidlock.events import Event

PROJECT = "bidlock"
GROUP = "bidlock.backends.v1"
"""Entry-point group of plugins; the major version of the port is part of the name."""
PORT_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """One backend that a plugin offers. Pure data: nothing is opened before it is asked for.

    Attributes:
        name: What `bidlock plugins` and errors call it.
        schemes: URL schemes it serves.
        factory: Builds an unopened backend.
        capabilities: What it promises.
        port: Major version of the port it was written for.
        controlled: Builds the unopened store as a controller drives it: `bidlock.migration.port.OriginStore` or
            `TargetStore`; None when the backend cannot take part in a migration.
        origin: Whether `controlled` builds the store that a fleet comes from, not the one it goes to.
        harness: `module:attribute` of its harness for the conformance kit; imported only there.
    """

    name: str
    schemes: tuple[str, ...]
    factory: Callable[[BackendConfig], Backend]
    capabilities: Capabilities
    port: int = PORT_VERSION
    harness: str = ""
    controlled: Callable[[BackendConfig], Any] | None = None
    origin: bool = False


@hookspec
def bidlock_backends() -> list[BackendSpec]:  # type: ignore[empty-body]  # a specification has no body
    """Return the backends this plugin offers."""


@hookspec
def bidlock_observe(event: Event) -> None:
    """Learn of something that happened to a lock. Exceptions are swallowed and counted; be quick."""
