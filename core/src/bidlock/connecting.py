"""From a URL or the environment to a client: which store, whose, in which mode."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bidlock import addresses, plugins
from bidlock.backend import SELF, BackendConfig
from bidlock.clock import Clock
from bidlock.errors import ConfigurationError
from bidlock.locks import Locks
from bidlock.modes import MODES, Mode, Role
from bidlock.modesources import FileMode, FixedMode
from bidlock.settings import Settings
from bidlock.stores import Store


def connect(
    url: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    loaded: plugins.Plugins | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> Locks:
    """Put a client together; `async with` opens it.

    Without arguments everything comes from `BIDLOCK_*` (docs/reference/configuration.md). Without `BIDLOCK_POLICY` the
    client works in a store of its own kind's clients (`self`), which the first one initialises.

    Args:
        url: The store: `redis://host:6379/0`, `sqlite:///bids.db`, `memory://`; None reads `BIDLOCK_URL`.
        environment: Where `BIDLOCK_*` is read.
        loaded: Plugins to use; None loads the installed ones.
        clock: Time; None for the machine's.
        **settings: Fields of `bidlock.settings.Settings`, overruling the environment.

    Returns:
        An unopened client.

    Raises:
        ConfigurationError: something given cannot work; says what to change.
        UnknownBackend: no plugin serves the URL; says what to install.
    """
    unknown = set(settings) - set(Settings.__dataclass_fields__)
    if unknown:
        raise ConfigurationError(f"unknown setting {', '.join(sorted(unknown))}; known are {', '.join(Settings.__dataclass_fields__)}")
    _refuse_leaving_the_policy(environment, url, settings)
    wanted = Settings.read(environment, url=url, **settings)
    found = loaded if loaded is not None else plugins.load(environment)
    if wanted.sqlite_url or wanted.redis_url:
        return _two_stores(wanted, found, clock)
    if not wanted.url:
        raise ConfigurationError("no store is configured; set BIDLOCK_URL, or pass a URL such as redis://host:6379/0 or sqlite:///bids.db")
    spec = found.backend(addresses.parse(wanted.url).scheme)
    mode = _mode(wanted, spec.capabilities.single_mode, spec.name)
    role = mode.required[0]
    return Locks({role: _store(role, wanted.url, wanted, found)}, FixedMode(mode), wanted, found, clock)


def _two_stores(wanted: Settings, found: plugins.Plugins, clock: Clock | None) -> Locks:
    """A client of a migrating fleet: it takes whatever mode it is told, and the stores' windows decide whether that counts."""
    if not wanted.policy:
        raise ConfigurationError("two stores belong to a controller; set BIDLOCK_POLICY to its id (`bidlock migrate status` shows it)")
    if wanted.url:
        raise ConfigurationError("BIDLOCK_URL names a single store; with BIDLOCK_SQLITE_URL and BIDLOCK_REDIS_URL leave it empty")
    if not wanted.mode and not wanted.mode_file:
        raise ConfigurationError(
            "the fleet's mode is not known; set BIDLOCK_MODE_FILE to the file that the controller writes, or BIDLOCK_MODE"
        )
    urls = {Role.ORIGIN: wanted.sqlite_url, Role.TARGET: wanted.redis_url}
    stores = {role: _store(role, url, wanted, found) for role, url in urls.items() if url}
    modes = FileMode(Path(wanted.mode_file)) if wanted.mode_file else FixedMode(MODES[wanted.mode])
    return Locks(stores, modes, wanted, found, clock)


def _store(role: Role, url: str, wanted: Settings, found: plugins.Plugins) -> Store:
    address = addresses.parse(url)
    spec = found.backend(address.scheme)
    config = BackendConfig(
        address=address,
        owner=wanted.policy or SELF,
        prefix=wanted.prefix,
        buckets=wanted.buckets,
        timeout=wanted.store_timeout,
        original_keys=wanted.original_keys,
    )
    return Store(role, spec.factory(config), spec.capabilities, wanted)


def _mode(wanted: Settings, single_mode: str, backend: str) -> Mode:
    mode = MODES[wanted.mode or single_mode]
    if not mode.single:
        raise ConfigurationError(
            f"mode {mode.name!r} needs two stores: set BIDLOCK_SQLITE_URL and BIDLOCK_REDIS_URL instead of BIDLOCK_URL"
        )
    if mode.name != single_mode:
        raise ConfigurationError(
            f"mode {mode.name!r} does not fit a {backend} store, whose single-store mode is {single_mode!r}; leave BIDLOCK_MODE empty"
        )
    return mode


def _refuse_leaving_the_policy(environment: Mapping[str, str], url: str | None, settings: Mapping[str, Any]) -> None:
    """A pod of a managed fleet never works in a store of its own choice: that would be a second lock beside the fleet's."""
    policy = environment.get("BIDLOCK_POLICY", "")
    if not policy:
        return
    if url is not None and url != environment.get("BIDLOCK_URL"):
        raise ConfigurationError(
            f"this process belongs to policy {policy!r}: its store comes from BIDLOCK_URL, not from a URL in the code; call connect() without one"
        )
    if settings.get("policy") not in (None, policy):
        raise ConfigurationError(f"this process belongs to policy {policy!r} (BIDLOCK_POLICY); it cannot leave it by an argument")
