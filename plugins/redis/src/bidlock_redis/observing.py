"""What the store says about itself, for humans and for core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidlock.backend import Observed
from bidlock_redis import buckets, durability, facts

if TYPE_CHECKING:
    from bidlock_redis.backend import RedisBackend
    from bidlock_redis.buckets import BucketState
    from bidlock_redis.durability import Durability


async def observe(backend: RedisBackend) -> Observed:
    """Read bucket 0, which stands for all, and the server's persistence; changes nothing."""
    state = await buckets.read(backend, 0)
    keys = backend.keys(0)
    server = await server_facts(backend)
    return _observed(state, server, await durability.read(backend, keys, server))


async def server_facts(backend: RedisBackend) -> facts.ServerFacts:
    """What the server that has bucket 0 says about itself now."""
    said = [await backend.command(backend.keys(0), b"INFO", section) for section in facts.SECTIONS]
    return facts.read("\n".join(text.decode() for text in said))


def _observed(state: BucketState, server: facts.ServerFacts, persistence: Durability) -> Observed:
    return Observed(
        initialised=bool(state.meta),
        live=state.live,
        owner=state.owner,
        format=state.number("format"),
        buckets=state.number("buckets") or 1,
        modes=frozenset(state.meta.get("modes", "").split(",")) - {""},
        epoch=state.number("epoch"),
        incarnation=state.number("inc"),
        counter=state.counter,
        ttl_max_ms=state.number("ttl_max"),
        margin_ms=state.number("margin"),
        watermark_ms=state.number("watermark"),
        domain=state.meta.get("s_domain", ""),
        durable=persistence.durable,
        details=_details(state, server, persistence),
        warnings=(*persistence.warnings, *_policy_warning(server)),
    )


def _details(state: BucketState, server: facts.ServerFacts, persistence: Durability) -> dict[str, str]:
    details = {"server": f"{server.product} {server.version}", "run_id": server.run_id, "maxmemory-policy": server.policy}
    details.update(persistence.settings)
    if state.meta.get("sealed"):
        details["sealed"] = state.meta["sealed"]
    if state.quarantine:
        details["quarantine"] = state.quarantine.get("nonce", "")
    return details


def _policy_warning(server: facts.ServerFacts) -> tuple[str, ...]:
    return () if server.policy else ("the server does not say whether it evicts keys; make sure that it has `maxmemory-policy noeviction`",)
