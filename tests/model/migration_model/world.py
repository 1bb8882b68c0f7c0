"""What one state of the model is made of. A state is a tuple of tuples: small, comparable, and never changed in place.

One posting is followed. A slot is a place for one attempt at a time; a lease row names the slot whose attempt holds it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bidlock.modes import Role

FREE = -1
"""Lease row: nobody holds it."""

ORPHAN = 9
"""Lease row: its holder died or never learned that it holds it; it can only expire."""

NONE = 0
"""Marker: nobody has claimed the posting."""

SOMEBODY = 1
"""Marker: an attempt that is over has claimed it."""

MINE = 2
"""Marker: `MINE + slot` is claimed by the attempt in that slot (its nonce)."""

LAPSED, BELIEVED, STRETCHED = 0, 1, 2
"""What an attempt's lease is worth in true time: run out; unexpired; or unexpired only because a weaker rule renewed it."""


def quick(kind: Any) -> Any:
    """Give a named tuple a `_replace` that does the same in a third of the time: the checker does little else."""
    names = kind._fields
    parameters = ", ".join(f"{name}=same" for name in names)
    values = ", ".join(f"self[{place}] if {name} is same else {name}" for place, name in enumerate(names))
    made: dict[str, Any] = {"new": tuple.__new__, "kind": kind, "same": object()}
    exec(f"def _replace(self, *, {parameters}): return new(kind, ({values},))", made)  # as the standard library makes `__new__`
    kind._replace = made["_replace"]
    return kind


@quick
class File(NamedTuple):
    """A SQLite file."""

    holder: int = FREE
    counter: int = 0
    marker: int = NONE
    modes: frozenset[str] = frozenset()
    epoch: int = 0
    synced: frozenset[int] = frozenset()
    domain: str = "file1"
    initialised: bool = True
    watermark: int = 0


@quick
class Bucket(NamedTuple):
    """One bucket of Redis. `settling` is used for a bucket whose postings are not followed: its timers still run."""

    holder: int = FREE
    counter: int = 0
    marker: int = NONE
    modes: frozenset[str] = frozenset()
    epoch: int = 0
    synced: bool = False
    domain: str = "file1"
    initialised: bool = True
    watermark: int = 0
    running: bool = True
    incarnation: int = 0
    sealed: str = ""
    planted: tuple[str, int] | None = None
    settling: frozenset[str] = frozenset()


@quick
class BucketKnown(NamedTuple):
    """What the register remembers of a bucket."""

    nonce: str = ""
    incarnation: int = 0
    counter: int = 0
    seal: str = ""


@quick
class Known(NamedTuple):
    """The register, as a tuple; `registers.py` turns it into the project's own and back."""

    epoch: int
    source: str
    to: str
    authority: Role
    domain: str
    buckets: tuple[BucketKnown, ...]
    watermark: int = 0
    recovering: bool = False


@quick
class Attempt(NamedTuple):
    """One attempt at the posting.

    Attributes:
        mode: Its mode.
        step: Index of its next step in its mode's plan.
        origin: What its lease on the file is worth.
        target: What its lease on Redis is worth.
        token: Fencing token so far.
        late_token: A token at least as high was handed out since its own was drawn.
        old_file: Its process still has the file open that was replaced.
        heir: It takes over rows that its predecessor left to it (`inside` a process or `across`).
    """

    mode: str
    step: int = 0
    origin: int = LAPSED
    target: int = LAPSED
    token: int = 0
    late_token: bool = False
    old_file: bool = False
    heir: str = ""


@quick
class Pending(NamedTuple):
    """An action another controller decided earlier and has not carried out.

    Attributes:
        action: The action.
        known: The register as it was then.
        seen: For a copy: the identity of the destination as it was then.
        copied: For a copy: its data is written, its stamp is not.
    """

    action: object
    known: Known
    seen: str = ""
    copied: bool = False


class Fleet(NamedTuple):
    """The bidders that are listed: the mode of new ones, and of each slot's."""

    template: str
    modes: tuple[str, ...]


@quick
class Past(NamedTuple):
    """What happened so far, as far as a property or a bound asks.

    Attributes:
        bids: Bids on the posting.
        token: Highest token handed out; -1 after a token that was not higher.
        grants: Tokens drawn (bounds the runs with tokens).
        faults: Faults so far.
        posted: Creation time of the posting on a clock of faults; 0 while it is not there.
        accepted: Nonce of the loss a human accepted.
        seals: Seals used.
        plants: Quarantine nonces used.
        bots: Whether original bots are still listed.
        heirs: Leases passed on.
    """

    bids: int = 0
    token: int = 0
    grants: int = 0
    faults: int = 0
    posted: int = 1
    accepted: str = ""
    seals: int = 0
    plants: int = 0
    bots: bool = False
    heirs: int = 0


@quick
class World(NamedTuple):
    """One state.

    Attributes:
        attempts: One entry per slot.
        files: The SQLite file; or, if every pod has its own, one per slot.
        buckets: The buckets of Redis; the posting is in the first.
        disk: What a restart of the first bucket would bring back now; None if Redis never restarts.
        backup: An older copy of the first bucket, or the server that ran it before and still does.
        known: The register; None after it was lost.
        pending: What a second controller is about to do.
        fleet: The listed bidders; None if any mode may start anywhere at any time.
        past: What happened.
    """

    attempts: tuple[Attempt | None, ...]
    files: tuple[File, ...]
    buckets: tuple[Bucket, ...]
    known: Known | None
    disk: Bucket | None = None
    backup: Bucket | None = None
    pending: Pending | None = None
    fleet: Fleet | None = None
    past: Past = Past()


def put_attempt(world: World, slot: int, attempt: Attempt | None) -> World:
    """The world with another attempt in a slot."""
    attempts = world.attempts
    return world._replace(attempts=(*attempts[:slot], attempt, *attempts[slot + 1 :]))


def file_of(world: World, slot: int) -> File:
    """The file that a slot's process has."""
    return world.files[slot] if len(world.files) > 1 else world.files[0]


def put_file(world: World, slot: int, file: File) -> World:
    """The world with a slot's file changed."""
    if len(world.files) == 1:
        return world._replace(files=(file,))
    return world._replace(files=(*world.files[:slot], file, *world.files[slot + 1 :]))


def put_bucket(world: World, number: int, bucket: Bucket) -> World:
    """The world with a bucket changed."""
    buckets = world.buckets
    return world._replace(buckets=(*buckets[:number], bucket, *buckets[number + 1 :]))


def durable_part(bucket: Bucket) -> Bucket:
    """What of a bucket a restart could bring back; windows and stamps are written anew before anybody reads them."""
    return bucket._replace(modes=frozenset(), synced=False, running=False, planted=None)
