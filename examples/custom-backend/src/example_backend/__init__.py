"""A bidlock backend for example."""

from __future__ import annotations

from bidlock.hookspecs import BackendSpec, hookimpl
from example_backend.backend import FilesBackend
from example_backend.store import CAPABILITIES


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """What this plugin offers: data only, nothing is opened."""
    harness = "example_backend.harness:FilesHarness"
    return [BackendSpec("example", ("files",), FilesBackend, CAPABILITIES, harness=harness)]
