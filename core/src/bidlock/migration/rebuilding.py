"""A lost register is rebuilt from what the stores show: their windows tell who had the authority.

If they do not tell, the target is taken for the authority and walked back to the origin; nothing is begun meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from bidlock.migration.actions import Halt, Recreate
from bidlock.migration.register import GENERATION_BITS, generation
from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY, Bucket, Origin
from bidlock.modes import MODES, Role


def rebuild(origin: Origin, buckets: tuple[Bucket, ...]) -> Recreate | Halt:
    """What the register must have said.

    Args:
        origin: The origin store, as seen; `synced` and `drained` do not matter.
        buckets: The target's buckets, as seen. A bucket runs as the incarnation its own meta names.

    Returns:
        The register to write, conditionally on there being none; or why only a human can tell.
    """
    if not origin.reachable or not origin.initialised:
        return Halt(
            "RegisterLost", "the origin store does not answer or is empty; bring the original file back, the register is rebuilt from it"
        )
    running = [bucket for bucket in buckets if bucket.reachable and bucket.initialised]
    if any(bucket.domain != origin.domain for bucket in running):
        return Halt("RegisterLost", "the target store knows another origin file than the one that is there; bring the right file back")
    by_origin = origin.modes & ORIGIN_ONLY
    by_target = frozenset[str]().union(*(bucket.modes & TARGET_ONLY for bucket in running if bucket.running))
    if by_origin and by_target:
        return Halt("BothOpen", "both stores admit modes that exclude the other; close the wrong one by hand, then run again")
    if by_origin:
        return _recreate(origin, buckets, _nearest_strict(by_origin, reversed(MODES)), Role.ORIGIN)
    if by_target:
        return _recreate(origin, buckets, _nearest_strict(by_target, MODES), Role.TARGET)
    if len(running) < len(buckets) or not all(bucket.running or bucket.durable for bucket in buckets):
        return Halt("RegisterLost", "neither store shows who held the markers, and the target may have lost some; bring it back as it was")
    return _recreate(origin, buckets, "strict", Role.TARGET, recovering=True)


def _recreate(origin: Origin, buckets: tuple[Bucket, ...], mode: str, authority: Role, *, recovering: bool = False) -> Recreate:
    stores: tuple[Origin | Bucket, ...] = (origin, *buckets)
    return Recreate(
        mode=mode,
        authority=authority,
        generation=max(generation(store.epoch) for store in stores) + 1,
        domain=origin.domain,
        incarnations=tuple(_incarnation(bucket, origin) for bucket in buckets),
        watermark_ms=max(store.watermark_ms for store in stores),
        recovering=recovering,
    )


def _incarnation(bucket: Bucket, origin: Origin) -> int:
    """As the bucket itself says; one that runs no more is opened under a higher one than any token handed out."""
    if bucket.reachable and bucket.initialised and bucket.running:
        return bucket.incarnation
    return max(bucket.incarnation, origin.counter >> GENERATION_BITS)


def _nearest_strict(admitted: frozenset[str], towards_it: Iterable[str]) -> str:
    """While two neighbours are admitted either would do; the one nearer to the middle has the shorter way on."""
    return next((name for name in towards_it if name in admitted), "sqlite")
