"""What this distribution offers to bidlock."""

from __future__ import annotations

from bidlock.backend import Capabilities
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock_sqlite.backend import SqliteBackend


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """The SQLite backend."""
    capabilities = Capabilities(scope="host", time_authority="server", durability="fsync", wait="notify", single_mode="sqlite")
    return [BackendSpec("sqlite", ("sqlite",), SqliteBackend, capabilities, harness="bidlock_sqlite.testing:SqliteHarness")]
