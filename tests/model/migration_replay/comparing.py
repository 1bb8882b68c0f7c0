"""Whether real stores look as the model says: what a controller sees of them, and whose the posting's lease and marker are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from migration_model.scripts import LEGACY
from migration_model.sighting import view_of
from migration_model.world import FREE, MINE, NONE, ORPHAN, SOMEBODY, Bucket, File, World
from migration_replay.bidding import Player
from migration_replay.names import Names

from bidlock.backend import Inspection, MarkerState
from bidlock.migration.register import Register, generation
from bidlock.migration.sight import Bucket as SeenBucket
from bidlock.migration.sight import Origin, Sight
from bidlock.modes import Role


class Difference(NamedTuple):
    """Where model and store disagree."""

    where: str
    modelled: object
    real: object

    def __str__(self) -> str:
        return f"{self.where}: the model says {self.modelled!r}, the store {self.real!r}"


class Real(NamedTuple):
    """Everything there is to be seen in real stores."""

    sight: Sight
    register: Register | None
    postings: Mapping[Role, Inspection]
    players: Mapping[int, Player]


def differences(world: World, real: Real, names: Names, *, tokens: bool) -> Iterator[Difference]:
    """Everything that differs."""
    yield from _registers(world, real.register, names)
    yield from _files(world, real, names, tokens=tokens)
    for number in range(len(world.buckets)):
        yield from _buckets(world, number, real, names, tokens=tokens)
    yield from _of_posting("SQLite", world.files[0], world, real.postings[Role.ORIGIN], real.players)
    yield from _of_posting("Redis", world.buckets[0], world, real.postings[Role.TARGET], real.players)


def _differ(where: str, pairs: Mapping[str, tuple[object, object]]) -> Iterator[Difference]:
    for name, (modelled, real) in pairs.items():
        if modelled != real:
            yield Difference(f"{where}, {name}", modelled, real)


def _registers(world: World, register: Register | None, names: Names) -> Iterator[Difference]:
    known = world.known
    if known is None or register is None:
        yield from _differ("register", {"there": (known is not None, register is not None)})
        return
    same = {
        "source": (known.source, register.source),
        "to": (known.to, register.to),
        "authority": (known.authority, register.authority),
        "recovering": (known.recovering, register.recovering),
        "generation": (generation(known.epoch), generation(register.epoch)),
        "domain": (names.real(known.domain), register.domain),
        "watermark": (names.watermark(known.watermark), register.watermark_ms),
    }
    yield from _differ("register", same)
    for number, (modelled, real) in enumerate(zip(known.buckets, register.buckets, strict=True)):
        of_bucket = {
            "nonce": (names.real(modelled.nonce), real.nonce),
            "incarnation": (modelled.incarnation, real.incarnation),
            "seal": (names.real(modelled.seal), real.seal),
        }
        yield from _differ(f"register of bucket {number}", of_bucket)


def _files(world: World, real: Real, names: Names, *, tokens: bool) -> Iterator[Difference]:
    file, seen = world.files[0], real.sight.origin
    if not (file.initialised and seen.initialised):
        yield from _differ("SQLite", {"initialised": (file.initialised, seen.initialised)})
        return
    same = {
        "domain": (names.real(file.domain), seen.domain),
        "modes": (sorted(file.modes), sorted(seen.modes)),
        "watermark": (names.watermark(file.watermark), seen.watermark_ms),
        **_epochs(world, file, real.register, seen),
    }
    if world.known:
        same["copied buckets"] = (sorted(file.synced), sorted(seen.synced))
    if tokens:
        same["counter"] = (file.counter, seen.counter)
    # A row whose attempt is gone has run out for the model's timer; in the store it has still to.
    if file.holder != ORPHAN:
        same["drained"] = (view_of(world).drained, seen.drained)
    yield from _differ("SQLite", same)


def _buckets(world: World, number: int, real: Real, names: Names, *, tokens: bool) -> Iterator[Difference]:
    bucket, seen = world.buckets[number], real.sight.buckets[number]
    where = f"Redis, bucket {number}"
    planted = names.real(bucket.planted[0]) if bucket.planted else ""
    same = {
        "reachable": (True, seen.reachable),
        "initialised": (bucket.initialised, seen.initialised),
        "quarantine": (planted, seen.quarantine.nonce if seen.quarantine else ""),
    }
    if bucket.initialised and seen.initialised:
        same |= {
            "running": (bucket.running, seen.running),
            "incarnation": (bucket.incarnation, seen.incarnation),
            "domain": (names.real(bucket.domain), seen.domain),
            "seal": (names.real(bucket.sealed), seen.sealed),
            "watermark": (names.watermark(bucket.watermark), seen.watermark_ms),
            **_epochs(world, bucket, real.register, seen),
        }
        if tokens:
            same["counter"] = (bucket.counter, seen.counter)
    if bucket.initialised and bucket.running and seen.initialised:
        view = view_of(world)
        same |= {
            "modes": (sorted(bucket.modes), sorted(seen.modes)),
            "whole": (view.whole[number], seen.whole),
        }
        # Of holders of a replaced file the model knows at once; the store's timer starts when the bucket adopts the new one.
        if bucket.domain == world.files[0].domain:
            same["drained"] = (view.bucket_drained[number], seen.drained)
        if world.known:
            same["copied"] = (bucket.synced, seen.synced)
    yield from _differ(where, same)


def _epochs(
    world: World, modelled: File | Bucket, register: Register | None, seen: Origin | SeenBucket
) -> dict[str, tuple[object, object]]:
    """The model renumbers epochs; only their order counts."""
    if world.known is None or register is None:
        return {}
    order = (_order(modelled.epoch, world.known.epoch), _order(seen.epoch, register.epoch))
    return {"epoch, against the register's": order}


def _order(one: int, other: int) -> str:
    return "older" if one < other else "newer" if one > other else "the same"


def _of_posting(where: str, modelled: File | Bucket, world: World, seen: Inspection, players: Mapping[int, Player]) -> Iterator[Difference]:
    yield from _differ(where, {"lease": (_told(modelled.holder), _told(_holder(seen, players)))})
    yield from _differ(where, {"marker": (_marked(modelled.marker, world), _marker(seen, players))})


def _holder(seen: Inspection, players: Mapping[int, Player]) -> int:
    if seen.lease is None:
        return FREE
    name = seen.lease.nonce or seen.lease.holder
    return next((slot for slot, player in players.items() if name in player.nonces), ORPHAN)


def _told(holder: int) -> str:
    return "free" if holder == FREE else "nobody's" if holder == ORPHAN else f"attempt {holder + 1}'s"


def _marked(marker: int, world: World) -> str:
    if marker == NONE:
        return "none"
    attempt = world.attempts[marker - MINE] if marker >= MINE else None
    return "somebody's" if marker == SOMEBODY or (attempt and attempt.mode == LEGACY) else f"attempt {marker - MINE + 1}'s"


def _marker(seen: Inspection, players: Mapping[int, Player]) -> str:
    if seen.marker is None:
        return "none"
    nonce = seen.marker.nonce
    slot = next((slot for slot, player in players.items() if player.ticket.nonce == nonce), None)
    return "somebody's" if slot is None or seen.marker.state is MarkerState.PRESUMED else f"attempt {slot + 1}'s"
