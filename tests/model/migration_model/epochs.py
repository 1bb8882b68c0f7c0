"""Keeps epochs small. They are only compared, so any renumbering that keeps the order is the same state.

Within a generation a store's epoch matters only relative to the register's and to that of a pending action.
"""

from __future__ import annotations

import functools
from typing import TypeVar

from migration_model.world import Bucket, File, Known, World

from bidlock.migration.register import GENERATION_BITS, generation

Holder = TypeVar("Holder", File, Bucket, Known)


def renumbered(world: World) -> World:
    """The same state with the smallest epochs."""
    known, pending = world.known, world.pending
    marks = tuple(sorted({register.epoch for register in (known, pending.known if pending else None) if register}))
    stores = [*world.files, *world.buckets, *[copy for copy in (world.disk, world.backup) if copy]]
    if all(_small(epoch, marks) == epoch for epoch in (*marks, *[store.epoch for store in stores])):
        return world
    return world._replace(
        files=tuple([_put(file, marks) for file in world.files]),
        buckets=tuple([_put(bucket, marks) for bucket in world.buckets]),
        disk=world.disk and _put(world.disk, marks),
        backup=world.backup and _put(world.backup, marks),
        known=known and _put(known, marks),
        pending=pending and pending._replace(known=_put(pending.known, marks)),
    )


def _put(holder: Holder, marks: tuple[int, ...]) -> Holder:
    return holder._replace(epoch=_small(holder.epoch, marks))


@functools.cache
def _small(epoch: int, marks: tuple[int, ...]) -> int:
    """Odd numbers for the epochs that matter, even ones for whatever lies between."""
    own = [mark for mark in marks if generation(mark) == generation(epoch)]
    below = sum(mark < epoch for mark in own)
    return (generation(epoch) << GENERATION_BITS) + 2 * below + (epoch in own)
