"""What this distribution offers to bidlock."""

from __future__ import annotations

from bidlock.backend import Capabilities
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock_sqlite.backend import SqliteBackend
from bidlock_sqlite.controlled import SqliteOrigin

_PROMISES = Capabilities(scope="host", time_authority="server", durability="fsync", wait="notify", single_mode="sqlite", migratable=True)


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """The SQLite backend."""
    return [
        BackendSpec(
            "sqlite",
            ("sqlite",),
            SqliteBackend,
            _PROMISES,
            harness="bidlock_sqlite.testing:SqliteHarness",
            controlled=SqliteOrigin,
            origin=True,
        )
    ]
