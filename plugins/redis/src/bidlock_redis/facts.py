"""What a server says about itself in INFO, and which servers we refuse to work on."""

from __future__ import annotations

from dataclasses import dataclass

from bidlock.errors import ConfigurationError, UnfitStore

MINIMUM = (6, 2)
"""The oldest server; before it, scripts and expiry differ."""

SECTIONS = ("server", "replication", "memory", "persistence")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Facts about the server at the other end of one connection.

    Attributes:
        run_id: 40 hex digits, new with every start of the process.
        version: For example `8.2.3`; of the Redis that a Valkey is compatible with, when it says so.
        product: `redis` or `valkey`.
        master: Whether it takes writes.
        policy: Its `maxmemory-policy`; empty when it does not say.
        aof: Whether it writes an append-only file, and the last write went well.
        replicas: How many replicas are connected to it.
    """

    run_id: str
    version: str
    product: str
    master: bool
    policy: str
    aof: bool
    replicas: int = 0

    @property
    def evicts(self) -> str:
        """Its policy, if keys are evicted under it; empty when none are, or when the server does not say."""
        return "" if self.policy == "noeviction" else self.policy


def read(info: str) -> ServerFacts:
    """Facts out of the text of INFO."""
    values = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    product = values.get("server_name", "redis")
    return ServerFacts(
        run_id=values.get("run_id", ""),
        version=values.get("valkey_version", values.get("redis_version", "0")),
        product=product,
        master=values.get("role") == "master",
        policy=values.get("maxmemory_policy", ""),
        aof=values.get("aof_enabled") == "1" and values.get("aof_last_write_status") == "ok",
        replicas=int(values.get("connected_slaves", "0")),
    )


def check(facts: ServerFacts, where: str, *, may_evict: bool = False) -> None:
    """Refuse a server that cannot be trusted with locks.

    Args:
        facts: What it says.
        where: It is, for humans.
        may_evict: Whether one that evicts keys is let through: to a controller, which must reach it to close it.

    Raises:
        UnfitStore: too old, or evicts keys; with the remedy.
        ConfigurationError: it is a replica.
    """
    if _number(facts.version) < MINIMUM:
        said = f"{where} is {facts.product} {facts.version}; bidlock needs Redis 6.2 or Valkey, so upgrade it"
        raise UnfitStore(said, reason="RedisTooOld")
    if facts.evicts and not may_evict:
        said = f"{where} may evict keys (maxmemory-policy {facts.policy}), and an evicted lock is two bids; "
        raise UnfitStore(f"{said}set `maxmemory-policy noeviction` on the server", reason="RedisEvictionUnsafe")
    if not facts.master:
        raise ConfigurationError(f"{where} is a replica and takes no writes; name the master in the URL, or use redis+sentinel://")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
