"""What a controller asks of a store, beyond the port of the bidders. Every write is conditional and may be repeated.

A store refuses whoever comes with an older epoch than the last write it saw (`EPOCH`): a controller that was paused or
cut off can change nothing any more. Buckets are numbered from 0; an origin store keeps all of them in one file.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from bidlock.backend import MarkerState
from bidlock.migration.sight import Bucket, Origin


class Outcome(enum.StrEnum):
    """What a store answers to a controller's write."""

    OK = "OK"
    """Done, now or before."""
    EPOCH = "EPOCH"
    """A newer controller wrote already."""
    CLOSED = "CLOSED"
    """The store has no meta, or it restarted and is not blessed."""
    SEALED = "SEALED"
    """The store shows another seal, or one at all."""
    CHANGED = "CHANGED"
    """The store is not the one that was seen: another incarnation, domain or quarantine nonce."""
    LIVE = "LIVE"
    """The store is open; there is nothing to plant or bless."""
    OWNER = "OWNER"
    """The store belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class Constitution:
    """What a controller writes into the meta of a store that it opens, whatever the occasion.

    Attributes:
        owner: The policy's or register's id.
        epoch: The register's.
        domain: Identity of the origin file.
        ttl_max_ms: Longest TTL, milliseconds; a store that knows a longer one keeps it, for such leases may live.
        margin_ms: Fixed part of the safety margin, milliseconds.
        watermark_ms: The register's.
        adoption_skew_ms: Bound on marketplace clock minus store clock; a file in which original bots worked then gets a
            watermark that far past its adoption, for they left no trace of what they bid on. None: no such watermark.
    """

    owner: str
    epoch: int
    domain: str
    ttl_max_ms: int
    margin_ms: int
    watermark_ms: int = 0
    adoption_skew_ms: int | None = None


class MarkerRow(NamedTuple):
    """A marker on its way from one store to the other."""

    key: str
    nonce: str
    token: int
    state: MarkerState
    posted_at_ms: int


class Tail(NamedTuple):
    """The end of a copy: read from the source after all of its markers.

    Attributes:
        counter: The source's counter.
        watermark_ms: The source's watermark.
    """

    counter: int
    watermark_ms: int


class MigratableStore(Protocol):
    """What both kinds of store can do. `open` comes first, `close` last."""

    async def open(self) -> None:
        """Reach the store and refuse one that cannot be trusted; never creates a file.

        Raises:
            ConfigurationError: with the remedy.
            BackendUnavailable: not reached; the controller looks again later.
        """

    async def close(self) -> None:
        """Give it up."""

    async def fence(self, modes: frozenset[str], epoch: int, bucket: int = 0) -> Outcome:
        """Admit none of `modes` any more, and refuse older controllers; also when none of them is admitted."""

    async def open_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """Admit a mode; SEALED while a seal stands."""

    async def close_mode(self, mode: str, epoch: int, bucket: int = 0) -> Outcome:
        """Admit a mode no more."""

    async def raise_watermark(self, watermark_ms: int, epoch: int, bucket: int = 0) -> Outcome:
        """Refuse postings not newer than this; never lowered."""

    def copy_out(self, bucket: int) -> AsyncIterator[list[MarkerRow]]:
        """Every marker of a bucket, in chunks; markers written meanwhile may or may not be among them."""

    async def tail(self, bucket: int) -> Tail:
        """Counter and watermark now; asked for after `copy_out` is exhausted."""

    async def copy_in(self, rows: list[MarkerRow], bucket: int, seen: str) -> Outcome:
        """Insert the markers that are not there; CHANGED unless the store still is `seen` (see `stamp`)."""

    async def stamp(self, tail: Tail, epoch: int, bucket: int, seen: str) -> Outcome:
        """Raise counter and watermark, and note that this bucket's copy is complete under `epoch`.

        Args:
            tail: From the source.
            epoch: The register's.
            bucket: Number of the bucket.
            seen: The destination's identity when the copy began: incarnation of a bucket (as decimal text), domain of
                a file. CHANGED when it is another now.
        """


class OriginStore(MigratableStore, Protocol):
    """A file that a fleet comes from."""

    async def survey(self, epoch: int) -> Origin:
        """What a controller needs to see; `synced` means stamped with this epoch.

        Raises:
            BackendError: it did not answer.
        """

    async def constitute(self, constitution: Constitution, modes: frozenset[str]) -> Outcome:
        """Initialise a file without meta with a fresh domain, or take over a `self` one, whose domain stays.

        Original bots obey from then on (see `FencesOriginalBots`), if the store knows any, and are admitted only if
        `legacy` is among `modes`.

        OWNER when it belongs to another owner; OK when it is this owner's already (nothing is changed then).
        """


@runtime_checkable
class FencesOriginalBots(Protocol):
    """An origin store that original bots use, too, and that can make them obey."""

    async def install_fence(self, epoch: int) -> Outcome:
        """Have original bots obey windows, markers and the watermark from now on; may be repeated.

        They are admitted only while a mode that rests on this store alone is.
        """

    async def remove_fence(self, epoch: int) -> Outcome:
        """Take the fence away, after the last original bot."""


class TargetStore(MigratableStore, Protocol):
    """A server that a fleet goes to."""

    async def survey(self, epoch: int) -> tuple[Bucket, ...]:
        """What a controller needs to see of every bucket; `synced` means stamped with this epoch.

        Never raises for a bucket that is out of reach: it is shown so.
        """

    async def original_lock(self) -> str:
        """A lock of an original bot that is here now; empty for none. Bidders of a controller do not look there.

        A large store is searched a part at a time: call it again and again.

        Raises:
            BackendError: the store did not tell.
        """

    async def take_over(self, constitution: Constitution) -> Outcome:
        """Make a live `self` store this owner's, every bucket of it, with all its keys and its one mode.

        OK when it is this owner's already; CLOSED when it has no meta or is not live; OWNER when it is somebody else's.
        """

    async def plant(self, bucket: int) -> Outcome:
        """Name this very restart by a fresh nonce unless it has one; LIVE when a window is open in this process."""

    async def bless(
        self, bucket: int, nonce: str, constitution: Constitution, modes: frozenset[str], *, incarnation: int, seal: str, kept: bool
    ) -> Outcome:
        """Open a restarted bucket with every key it kept; CHANGED unless `nonce` is planted in this very process.

        Raises the counter to `incarnation << 32`; notes the moment as a loss unless `kept`.
        """

    async def adopt(self, bucket: int, domain: str, epoch: int) -> Outcome:
        """Know the origin file by `domain` from now on; counts as a closing, so that draining starts anew."""

    async def seal(self, bucket: int, nonce: str, epoch: int) -> Outcome:
        """Close every window and show the seal, in one step."""

    async def reopen(self, bucket: int, nonce: str, modes: frozenset[str], epoch: int) -> Outcome:
        """Drop the seal `nonce` and admit `modes`; SEALED when another seal stands."""
