"""Slots are alike: states that differ only in which slot an attempt is in are one."""

from __future__ import annotations

import operator

from migration_model.upkeep import Store
from migration_model.world import MINE, Bucket, File, World


def canonical(world: World) -> World:
    """The representative of all states that permuting the slots leads to."""
    attempts, fleet = world.attempts, world.fleet
    if len(attempts) == 1:
        return world
    keys = [(attempt or (), fleet.modes[slot]) for slot, attempt in enumerate(attempts)] if fleet else [one or () for one in attempts]
    if all(map(operator.lt, keys, keys[1:])):
        return world
    order = _order(world, keys)
    if order == list(range(len(keys))):
        return world
    place = {old: new for new, old in enumerate(order)}
    if len(world.files) > 1:
        return world._replace(
            attempts=tuple([attempts[n] for n in order]),
            files=tuple([_moved(world.files[n], place) for n in order]),
            buckets=(_moved(world.buckets[0], place),),
        )
    return world._replace(
        attempts=tuple([attempts[n] for n in order]),
        files=(_moved(world.files[0], place),),
        buckets=(_moved(world.buckets[0], place), *world.buckets[1:]),
        disk=world.disk and _moved(world.disk, place),
        backup=world.backup and _moved(world.backup, place),
        fleet=fleet and fleet._replace(modes=tuple([fleet.modes[n] for n in order])),
    )


def _order(world: World, keys: list[tuple[object, ...]]) -> list[int]:
    """The slots as the representative has them; what the rows say matters only between attempts that are equal."""
    if len(set(keys)) == len(keys):
        return sorted(range(len(keys)), key=keys.__getitem__)
    return sorted(range(len(keys)), key=lambda slot: (keys[slot], _rows(world, slot), slot))


def _rows(world: World, slot: int) -> tuple[bool, ...]:
    stores: tuple[File | Bucket, ...] = (*world.files, world.buckets[0], *[copy for copy in (world.disk, world.backup) if copy])
    return tuple([flag for store in stores for flag in (store.holder == slot, store.marker == MINE + slot)])


def _moved(store: Store, place: dict[int, int]) -> Store:
    """The store with the slots it names renamed."""
    holder, marker = place.get(store.holder, store.holder), store.marker
    if marker >= MINE:
        marker = MINE + place[marker - MINE]
    return store._replace(holder=holder, marker=marker) if (holder, marker) != (store.holder, store.marker) else store
