"""The plugin's door: which backends it offers."""

from __future__ import annotations

from bidlock.backend import Capabilities
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock_redis.backend import RedisBackend
from bidlock_redis.controlled import RedisTarget
from bidlock_redis.options import SCHEMES


@hookimpl
def bidlock_backends() -> list[BackendSpec]:
    """Redis and Valkey: one server, Sentinel, or a cluster."""
    capabilities = Capabilities(
        scope="cluster", time_authority="server", durability="fsync", wait="notify", single_mode="only", migratable=True
    )
    harness = "bidlock_redis.testing.harness:RedisHarness"
    return [BackendSpec("redis", SCHEMES, RedisBackend, capabilities, harness=harness, controlled=RedisTarget)]
