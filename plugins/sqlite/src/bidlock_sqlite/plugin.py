"""What this distribution offers to bidlock."""

from __future__ import annotations

from typing import Any, NoReturn

from bidlock.backend import BackendConfig, Capabilities
from bidlock.errors import ConfigurationError
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock_sqlite.backend import SqliteBackend
from bidlock_sqlite.controlled import SqliteOrigin

_PROMISES = Capabilities(scope="host", time_authority="server", durability="fsync", wait="notify", single_mode="sqlite", migratable=True)


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """The SQLite backend, and the controller's way to a file on another machine."""
    return [
        BackendSpec(
            "sqlite",
            ("sqlite",),
            SqliteBackend,
            _PROMISES,
            harness="bidlock_sqlite.testing:SqliteHarness",
            controlled=SqliteOrigin,
            origin=True,
        ),
        BackendSpec("sqlite-agent", ("sqlite+http", "sqlite+https"), _no_bidder, _PROMISES, controlled=_agent_origin, origin=True),
    ]


def _no_bidder(config: BackendConfig) -> NoReturn:
    raise ConfigurationError(f"{config.address} is for `bidlock migrate` only; bidders open the file itself: sqlite:////path/to/file.db")


def _agent_origin(config: BackendConfig) -> Any:
    try:
        from bidlock_sqlite.agent.client import AgentOrigin  # needs aiohttp, which bidders do without
    except ImportError as error:
        raise ConfigurationError(f'an agent is reached over HTTP: pip install "bidlock-sqlite[agent]" ({error})') from error
    return AgentOrigin(config)
