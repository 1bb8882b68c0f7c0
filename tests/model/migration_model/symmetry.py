"""Slots are alike: states that differ only in which slot an attempt is in are one."""

from __future__ import annotations

from migration_model.upkeep import Store
from migration_model.world import MINE, Bucket, File, World


def canonical(world: World) -> World:
    """The representative of all states that permuting the slots leads to."""
    attempts, fleet = world.attempts, world.fleet
    keys = [(attempt or (), fleet.modes[slot] if fleet else "") for slot, attempt in enumerate(attempts)]
    if all(keys[n] <= keys[n + 1] for n in range(len(keys) - 1)) and len(set(keys)) == len(keys):
        return world
    order = sorted(range(len(keys)), key=lambda slot: (keys[slot], _rows(world, slot), slot))
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


def _rows(world: World, slot: int) -> tuple[bool, ...]:
    stores: tuple[File | Bucket, ...] = (*world.files, world.buckets[0], *[copy for copy in (world.disk, world.backup) if copy])
    return tuple([flag for store in stores for flag in (store.holder == slot, store.marker == MINE + slot)])


def _moved(store: Store, place: dict[int, int]) -> Store:
    """The store with the slots it names renamed."""
    holder, marker = place.get(store.holder, store.holder), store.marker
    if marker >= MINE:
        marker = MINE + place[marker - MINE]
    return store._replace(holder=holder, marker=marker) if (holder, marker) != (store.holder, store.marker) else store
