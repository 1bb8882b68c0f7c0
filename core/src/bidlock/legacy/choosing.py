"""Which store a manager works in. In a managed fleet that is the fleet's, whatever the class or a URL says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bidlock.errors import ConfigurationError
from bidlock.settings import variable

ORIGINAL_FILE = Path("data/tasks.db")
"""Where the original bot keeps its table, below its working directory."""

ORIGINAL_REDIS = "redis://localhost:6379/0"


class Choice(NamedTuple):
    """Arguments for `bidlock.connect`: None for a URL that comes from `BIDLOCK_URL`."""

    url: str | None
    settings: dict[str, Any]


def sqlite(environment: Mapping[str, str] = os.environ) -> Choice:
    """The store of `BidLockManager`: `BIDLOCK_URL`, else the original bot's file."""
    if environment.get(variable("policy")) or environment.get(variable("url")):
        return Choice(None, {})
    ORIGINAL_FILE.parent.mkdir(parents=True, exist_ok=True)
    return Choice(f"sqlite:///{ORIGINAL_FILE}", {})


def redis(redis_url: str | None, environment: Mapping[str, str] = os.environ) -> Choice:
    """The store of `RedisBidLockManager`: its argument, else `REDIS_URL`, else this machine's Redis.

    The original bot's key is taken, too, so that such a bot in the same Redis and this one exclude each other.

    Raises:
        ConfigurationError: a URL is given although the process belongs to a policy.
    """
    if policy := environment.get(variable("policy")):
        if redis_url and redis_url != environment.get(variable("url")):
            raise ConfigurationError(
                f"this process belongs to policy {policy!r}: its store comes from BIDLOCK_URL; call RedisBidLockManager() without redis_url"
            )
        return Choice(None, {})
    return Choice(redis_url or environment.get("REDIS_URL") or ORIGINAL_REDIS, {"original_keys": True})
