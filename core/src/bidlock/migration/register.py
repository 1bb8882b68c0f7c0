"""What a controller remembers outside the stores: the status of a BidLockPolicy, or the register file of `bidlock migrate`.

Only one write at a time reaches it (compare-and-set on its version), and every such write voids what another
controller decided before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bidlock.modes import Role

GENERATION_BITS = 32
"""An epoch is `generation << 32 | count`: a register that was lost and rebuilt starts a generation above all it sees."""


@dataclass(frozen=True, slots=True)
class BucketRegister:
    """What is remembered about one bucket of the target store.

    Attributes:
        nonce: Quarantine nonce under which the current incarnation was admitted.
        incarnation: How often the bucket was opened anew.
        counter: Highest counter seen acknowledged; a store that shows less is an older copy.
        seal: Nonce of the seal in force; empty for none.
        doubted: Whether it was once seen, since it was opened, in a state in which it may lose acknowledged writes.
    """

    nonce: str = ""
    incarnation: int = 0
    counter: int = 0
    seal: str = ""
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """The register.

    Attributes:
        epoch: Grows with every begun transition.
        source: Mode the transition leaves (`from`).
        to: Mode it goes to; settled when both are the same.
        authority: The store that holds every marker and the highest token.
        domain: Identity of the origin file.
        buckets: One entry per bucket of the target store.
        watermark_ms: Postings not newer are refused everywhere, Unix milliseconds; 0 for none.
        recovering: The register was lost and the authority could not be told: the target is walked back to the origin.
    """

    epoch: int
    source: str
    to: str
    authority: Role
    domain: str
    buckets: tuple[BucketRegister, ...] = (BucketRegister(),)
    watermark_ms: int = 0
    recovering: bool = False

    @property
    def settled(self) -> bool:
        """Whether no transition is under way."""
        return self.source == self.to

    def with_bucket(self, number: int, **changes: object) -> Register:
        """A copy in which one bucket's entry is changed."""
        changed = replace(self.buckets[number], **changes)  # type: ignore[arg-type]  # names are checked by replace itself
        return replace(self, buckets=(*self.buckets[:number], changed, *self.buckets[number + 1 :]))


def generation(epoch: int) -> int:
    """The generation an epoch belongs to."""
    return epoch >> GENERATION_BITS


def first_epoch(of_generation: int) -> int:
    """The first epoch of a generation."""
    return of_generation << GENERATION_BITS
