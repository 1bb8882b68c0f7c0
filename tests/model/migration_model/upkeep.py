"""The controller's steps in a store, each one script or transaction: the store afterwards, or None when it refuses."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from migration_model.rules import Rules
from migration_model.world import FREE, NONE, Bucket, File, Known

from bidlock.migration.register import GENERATION_BITS

Store = TypeVar("Store", File, Bucket)


def is_live(store: File | Bucket) -> bool:
    """Whether the store has a meta, written for this very server process."""
    return store.initialised and (isinstance(store, File) or store.running)


def window(store: Store, modes: frozenset[str], epoch: int, rules: Rules) -> Store | None:
    """FENCE, OPEN and CLOSE: another window, unless a newer controller was here."""
    if not is_live(store) or (store.epoch > epoch and rules.epoch_refuses):
        return None
    return store._replace(modes=modes, epoch=epoch)


def widened(store: Store, mode: str, epoch: int, rules: Rules) -> Store | None:
    """OPEN; refused under a seal."""
    if isinstance(store, Bucket) and store.sealed and rules.sealed_refuses_open:
        return None
    return window(store, store.modes | {mode}, epoch, rules)


def raised(store: Store, watermark: int) -> Store | None:
    """WM: the watermark is at least this high."""
    return store._replace(watermark=max(store.watermark, watermark)) if is_live(store) else None


def constituted(file: File, known: Known) -> File | None:
    """A new file gets a meta with an identity of its own; it admits nothing."""
    if file.initialised:
        return None
    return file._replace(initialised=True, modes=frozenset(), epoch=known.epoch, watermark=known.watermark)


def planted(bucket: Bucket, nonce: str, now: int) -> Bucket | None:
    """PLANT: name this restart, unless it has a name or a window is open."""
    if bucket.planted is not None or (is_live(bucket) and bucket.modes):
        return None
    return bucket._replace(planted=(nonce, now))


class Blessing(NamedTuple):
    """What BLESS writes."""

    nonce: str
    incarnation: int
    modes: frozenset[str]
    seal: str
    count: bool


def blessed(bucket: Bucket, blessing: Blessing, known: Known, rules: Rules) -> Bucket | None:
    """BLESS: open the restarted server with every key it kept, if it still is the one that was seen."""
    if is_live(bucket) and bucket.incarnation == blessing.incarnation:
        return None
    if rules.bless_names_nonce and (bucket.planted is None or bucket.planted[0] != blessing.nonce):
        return None
    if bucket.initialised and bucket.epoch > known.epoch and rules.epoch_refuses:
        return None
    least = blessing.incarnation << GENERATION_BITS if blessing.count and rules.bless_raises_counter else 0
    return bucket._replace(
        holder=bucket.holder if rules.bless_keeps_leases else FREE,
        counter=max(bucket.counter, least),
        modes=blessing.modes,
        epoch=known.epoch,
        synced=False,
        domain=known.domain,
        initialised=True,
        watermark=max(known.watermark if rules.bless_watermark_from_register else 0, bucket.watermark),
        running=True,
        incarnation=blessing.incarnation,
        sealed=blessing.seal,
        planted=None,
    )


def adopted(bucket: Bucket, domain: str, epoch: int, rules: Rules) -> Bucket | None:
    """ADOPT: know another file."""
    kept = window(bucket, bucket.modes, epoch, rules)
    return kept and kept._replace(domain=domain)


def sealed(bucket: Bucket, nonce: str, epoch: int, rules: Rules) -> Bucket | None:
    """SEAL: close every window and show the seal."""
    closed = window(bucket, frozenset() if rules.seal_closes else bucket.modes, epoch, rules)
    return closed and closed._replace(sealed=nonce)


def reopened(bucket: Bucket, nonce: str, modes: frozenset[str], epoch: int, rules: Rules) -> Bucket | None:
    """REOPEN: drop the seal of this name."""
    if bucket.sealed != nonce and rules.reopen_names_seal:
        return None
    opened = window(bucket, modes, epoch, rules)
    return opened and opened._replace(sealed="")


def identity(store: File | Bucket) -> str:
    """What a copy into this store names."""
    return store.domain if isinstance(store, File) else str(store.incarnation)


def filled(taker: Store, giver: File | Bucket, seen: str, rules: Rules) -> Store | None:
    """The first half of COPY: insert the marker if there is none."""
    if not is_live(taker) or (identity(taker) != seen and rules.copy_names_identity):
        return None
    return taker if taker.marker != NONE else taker._replace(marker=giver.marker)


def stamped(taker: Store, giver: File | Bucket, epoch: int, seen: str, rules: Rules) -> Store | None:
    """The second half: counter and watermark as they are now in the source; the caller sets the stamp itself."""
    if not is_live(taker) or (identity(taker) != seen and rules.copy_names_identity):
        return None
    if taker.epoch > epoch and rules.epoch_refuses:
        return None
    counter = max(taker.counter, giver.counter) if rules.copy_carries_counter else taker.counter
    mark = max(taker.watermark, giver.watermark) if rules.copy_carries_watermark else taker.watermark
    return taker._replace(counter=counter, watermark=mark, epoch=epoch)
