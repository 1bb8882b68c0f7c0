"""What a controller may do next. Each action is one conditional write on one object; the last four are no write at all."""

from __future__ import annotations

from dataclasses import dataclass

from bidlock.modes import Role


@dataclass(frozen=True, slots=True)
class Begin:
    """Register: start the transition `source` to `to` under the next epoch."""

    source: str
    to: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Register: the transition is over."""


@dataclass(frozen=True, slots=True)
class Authorise:
    """Register: `role` now holds every marker and the highest token."""

    role: Role


@dataclass(frozen=True, slots=True)
class Incarnate:
    """Register: admit the restarted server that `nonce` names, under the next incarnation.

    Attributes:
        bucket: Number of the bucket.
        nonce: Quarantine nonce.
        watermark_ms: Raise the register's watermark to this; 0 when nothing was lost.
    """

    bucket: int
    nonce: str
    watermark_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sealing:
    """Register: a seal for the bucket is wanted; its nonce is fresh."""

    bucket: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Register: the bucket's seal is void."""

    bucket: int


@dataclass(frozen=True, slots=True)
class AdoptDomain:
    """Register: the origin is another file now, whose identity is `domain`."""

    domain: str


@dataclass(frozen=True, slots=True)
class Recognise:
    """Register: a bucket that was out of sight when a lost register was rebuilt runs as this incarnation."""

    bucket: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Record:
    """Register: how far the buckets have counted, so that an older copy is recognised."""


@dataclass(frozen=True, slots=True)
class Recreate:
    """Register: rebuild a lost one from what the stores show."""

    mode: str
    authority: Role
    generation: int
    domain: str
    incarnations: tuple[int, ...]
    watermark_ms: int
    recovering: bool


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """Register: a store carries an epoch of a later generation; go above it."""

    generation: int


@dataclass(frozen=True, slots=True)
class Initialise:
    """Origin: write a meta with a fresh identity into a file that has none; it admits no mode yet."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Store: admit none of the modes that rest on this store alone, and refuse older controllers from now on."""

    role: Role
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """Destination store: insert what it lacks of the source's markers, counter and watermark, then stamp it."""

    source: Role
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Store: admit a mode."""

    role: Role
    mode: str
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """Store: admit a mode no more."""

    role: Role
    mode: str
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Plant:
    """Bucket: name this very restart by a fresh nonce, unless it has one."""

    bucket: int


@dataclass(frozen=True, slots=True)
class Bless:
    """Bucket: open the restarted server with every key it kept, if its quarantine nonce is still this one.

    Attributes:
        bucket: Number of the bucket.
        nonce: Quarantine nonce.
        modes: What to admit; empty under a seal.
        seal: Nonce of the seal in force, written along; empty for none.
        kept: Whether nothing acknowledged was lost; if not, strict holders' leases may be, and a TTL has to pass
            before the target gets the authority.
    """

    bucket: int
    nonce: str
    modes: frozenset[str]
    seal: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Adopt:
    """Bucket: know the origin file by the register's identity from now on."""

    bucket: int


@dataclass(frozen=True, slots=True)
class Seal:
    """Bucket: close every window and show the seal, in one step; afterwards it is safe to stop."""

    bucket: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """Bucket: drop the seal of this name and admit `modes`."""

    bucket: int
    nonce: str
    modes: frozenset[str]


@dataclass(frozen=True, slots=True)
class RaiseWatermark:
    """Store: refuse postings that are not newer than the register's watermark."""

    role: Role
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Roll:
    """Fleet: let bidders work in a mode."""

    mode: str


@dataclass(frozen=True, slots=True)
class Noop:
    """Nothing to do: settled where it is wanted."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet. `reason` is a word of the documented list, `message` says what is awaited and what helps."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """What is wanted is not begun; nothing was changed."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Halt:
    """Only a human can go on.

    Attributes:
        reason: A word of the documented list.
        message: What happened and what a human can do.
        bucket: The bucket it is about; -1 for none.
        nonce: What the human has to name to accept the loss; empty when that is no way out.
    """

    reason: str
    message: str = ""
    bucket: int = -1
    nonce: str = ""


RegisterWrite = Begin | Settle | Authorise | Incarnate | Sealing | Resume | AdoptDomain | Recognise | Record | Recreate | NewGeneration
StoreWrite = Initialise | Fence | Copy | Open | Close | Plant | Bless | Adopt | Seal | Reopen | RaiseWatermark
Rest = Noop | Wait | Refuse | Halt
Action = RegisterWrite | StoreWrite | Roll | Rest
