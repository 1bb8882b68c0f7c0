"""From two URLs to the two stores of a migration."""

from __future__ import annotations

from typing import Any

from bidlock import addresses
from bidlock.backend import SELF, BackendConfig
from bidlock.errors import BackendUnavailable, ConfigurationError
from bidlock.migration.acting import Stores
from bidlock.modes import Role
from bidlock.plugins import Plugins


def stores(origin_url: str, target_url: str, plugins: Plugins, *, prefix: str, buckets: int, timeout: float) -> Stores:
    """The unopened stores.

    Raises:
        ConfigurationError: a URL is missing or malformed, or its backend cannot take this part; says what to do.
    """
    config: dict[str, Any] = {"prefix": prefix, "buckets": buckets, "timeout": timeout}
    return Stores(store(origin_url, plugins, Role.ORIGIN, **config), store(target_url, plugins, Role.TARGET, **config))


def store(url: str, plugins: Plugins, role: Role, *, owner: str = SELF, **config: Any) -> Any:
    """One unopened store.

    Args:
        url: Where it is.
        plugins: Where its backend comes from.
        role: The part it plays.
        owner: The controller's identity; then every write compares it. `self` while it is not known.
        config: `prefix`, `buckets`, `timeout` (seconds) of `BackendConfig`.

    Raises:
        ConfigurationError: the URL is missing or malformed, or its backend cannot take this part; says what to do.
    """
    part, variable = _PARTS[role]
    if not url:
        raise ConfigurationError(f"the {part} is not configured; set {variable}")
    spec = plugins.backend(addresses.parse(url).scheme)
    if spec.controlled is None:
        raise ConfigurationError(f"backend {spec.name!r} cannot take part in a migration: it does not fill the controller's port")
    if spec.origin is not (role is Role.ORIGIN):
        raise ConfigurationError(f"backend {spec.name!r} cannot be the {part}; are the two URLs swapped?")
    return spec.controlled(BackendConfig(address=addresses.parse(url), owner=owner, **config))


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


_PARTS = {
    Role.ORIGIN: ("origin (where the fleet comes from)", "BIDLOCK_SQLITE_URL"),
    Role.TARGET: ("target (where the fleet goes to)", "BIDLOCK_REDIS_URL"),
}
