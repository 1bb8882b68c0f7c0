"""From two URLs to the two stores of a migration."""

from __future__ import annotations

from typing import Any

from bidlock import addresses
from bidlock.backend import SELF, BackendConfig
from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock.migration.acting import Stores
from bidlock.plugins import Plugins


def stores(origin_url: str, target_url: str, plugins: Plugins, *, prefix: str, buckets: int, timeout: float) -> Stores:
    """The unopened stores.

    Raises:
        ConfigurationError: a URL is missing or malformed, or its backend cannot take this part; says what to do.
    """
    config = {"prefix": prefix, "buckets": buckets, "timeout": timeout}
    return Stores(
        _store(origin_url, plugins, origin=True, variable="BIDLOCK_SQLITE_URL", **config),
        _store(target_url, plugins, origin=False, variable="BIDLOCK_REDIS_URL", **config),
    )


async def open_both(both: Stores) -> None:
    """Open them. One that is merely out of reach is looked at again at every step.

    Raises:
        ConfigurationError: a store cannot be trusted.
    """
    for store in (both.origin, both.target):
        try:
            await store.open()
        except BackendUnavailable:
            continue


async def close_both(both: Stores) -> None:
    """Give them up."""
    for store in (both.origin, both.target):
        await store.close()


def _store(url: str, plugins: Plugins, *, origin: bool, variable: str, **config: Any) -> Any:
    part = "origin (where the fleet comes from)" if origin else "target (where the fleet goes to)"
    if not url:
        raise ConfigurationError(f"the {part} is not configured; set {variable}")
    spec = plugins.backend(addresses.parse(url).scheme)
    if spec.controlled is None:
        raise ConfigurationError(f"backend {spec.name!r} cannot take part in a migration: it does not fill the controller's port")
    if spec.origin is not origin:
        raise ConfigurationError(f"backend {spec.name!r} cannot be the {part}; are the two URLs swapped?")
    return spec.controlled(BackendConfig(address=addresses.parse(url), owner=SELF, **config))
