"""Whether an acknowledged write survives a crash of the server, as far as the server tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bidlock_redis import facts
from bidlock_redis.refusals import Refused

if TYPE_CHECKING:
    from bidlock_redis.backend import RedisBackend
    from bidlock_redis.layout import Keys

WANTED = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
"""Directives of a server that has every write on disk before it answers."""


@dataclass(frozen=True, slots=True)
class Durability:
    """A verdict and why.

    Attributes:
        durable: Whether every acknowledged write survives.
        warnings: What a human should change, one sentence each.
        settings: The directives that were read.
    """

    durable: bool
    warnings: tuple[str, ...]
    settings: dict[str, str]


async def read(backend: RedisBackend, keys: Keys, server: facts.ServerFacts) -> Durability:
    """Ask the server that has a bucket about its persistence."""
    try:
        settings = {name: await _setting(backend, keys, name) for name in WANTED}
    except Refused as refusal:  # many hosted servers hide CONFIG
        warning = f"CONFIG GET is not allowed ({refusal}), so nobody knows whether locks and markers survive a crash of the server"
        return Durability(False, (warning,), {})
    wrong = {name: value for name, value in settings.items() if value != WANTED[name]}
    warnings = tuple(
        f"the server has `{name} {value}`: locks and markers may be lost when it crashes; set `{name} {WANTED[name]}`"
        for name, value in wrong.items()
    )
    if not wrong and not server.aof:
        warnings += ("the last write of the append-only file failed: look at the server's disk and log",)
    if server.replicas > backend.options.wait_replicas:
        warnings += (_too_few(server.replicas, backend.options.wait_replicas),)
    return Durability(not warnings, warnings, settings)


async def _setting(backend: RedisBackend, keys: Keys, name: str) -> str:
    reply = await backend.command(keys, b"CONFIG", b"GET", name)
    return reply[1].decode() if reply else ""


def _too_few(replicas: int, waited_for: int) -> str:
    return (
        f"the server has {replicas} replicas, and bidlock waits for {waited_for}: one that knows less may take over; "
        f"put wait_replicas={replicas} into every URL"
    )
