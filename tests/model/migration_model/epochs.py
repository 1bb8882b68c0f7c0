"""Keeps epochs small. They are only compared, so any renumbering that keeps the order is the same state.

Within a generation a store's epoch matters only relative to the register's and to that of a pending action.
"""

from __future__ import annotations

from migration_model.world import World

from bidlock.migration.register import GENERATION_BITS, generation


def renumbered(world: World) -> World:
    """The same state with the smallest epochs."""
    marks = sorted({known.epoch for known in (world.known, world.pending.known if world.pending else None) if known})
    small = {epoch: _small(epoch, marks) for epoch in marks}

    def of(epoch: int) -> int:
        if epoch not in small:
            small[epoch] = _small(epoch, marks)
        return small[epoch]

    known, pending = world.known, world.pending
    return world._replace(
        files=tuple([file._replace(epoch=of(file.epoch)) for file in world.files]),
        buckets=tuple([bucket._replace(epoch=of(bucket.epoch)) for bucket in world.buckets]),
        disk=world.disk and world.disk._replace(epoch=of(world.disk.epoch)),
        backup=world.backup and world.backup._replace(epoch=of(world.backup.epoch)),
        known=known and known._replace(epoch=of(known.epoch)),
        pending=pending and pending._replace(known=pending.known._replace(epoch=of(pending.known.epoch))),
    )


def _small(epoch: int, marks: list[int]) -> int:
    """Odd numbers for the epochs that matter, even ones for whatever lies between."""
    own = [mark for mark in marks if generation(mark) == generation(epoch)]
    below = sum(mark < epoch for mark in own)
    return (generation(epoch) << GENERATION_BITS) + 2 * below + (epoch in own)
