"""What a controller sees before it decides: both stores, the fleet, and its own register. Nothing here is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field

from bidlock.migration.register import Register
from bidlock.modes import MODES, Role

ORIGIN_ONLY = frozenset({"sqlite", "dual", "legacy"})
"""Modes that rest on the origin store alone; admitted only while it has the authority."""

TARGET_ONLY = frozenset({"primary", "only"})
"""Modes that rest on the target store alone; admitted only while it has the authority."""

LEGACY = "legacy"
"""The window of original bots in the origin store (enforced by triggers)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin store, as seen.

    Attributes:
        reachable: Whether it answered; nothing else is known when it did not.
        initialised: Whether it has a meta.
        domain: Identity of the file.
        epoch: Of the last controller write.
        modes: The modes it admits.
        drained: Whether no unexpired lease of an origin-only mode or of an original bot is left.
        synced: Buckets whose copy into this store is stamped with the register's epoch.
        counter: Highest token handed out.
        watermark_ms: Its watermark.
        owner: Whose it is: a policy's or register's id, or `self`.
    """

    reachable: bool = True
    initialised: bool = True
    domain: str = ""
    epoch: int = 0
    modes: frozenset[str] = frozenset()
    drained: bool = False
    synced: frozenset[int] = frozenset()
    counter: int = 0
    watermark_ms: int = 0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The plant in a restarted bucket.

    Attributes:
        nonce: Names this very restart.
        since_ms: The store's own time when it was planted, Unix milliseconds.
    """

    nonce: str
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of the target store, as seen.

    Attributes:
        reachable: Whether it answered; nothing else is known when it did not.
        initialised: Whether it has a meta.
        running: Whether the meta's run_id is that of the server process.
        incarnation: As its meta says.
        epoch: Of the last controller write.
        modes: The modes it admits.
        domain: The origin file it knows.
        counter: Highest token or marker count.
        sealed: Nonce of the seal it shows; empty for none.
        quarantine: The plant for this very server process; None when there is none.
        durable: Whether every acknowledged write survived the restart, whatever happened.
        drained: Whether every lease of a target-only mode has expired since such a mode was last admitted.
        whole: Whether a TTL has passed since the bucket came back without everything it had acknowledged.
        synced: Whether the copy into this bucket is stamped with the register's epoch.
        watermark_ms: Its watermark.
        owner: Whose it is: a policy's or register's id, or `self`.
        evicts: How the server is set to forget keys when its memory is full; empty when it forgets none.
        doubt: Why it is not durable, for humans; empty when it is, or nobody knows.
        run_id: Names the server process; empty when it did not say.
        clock_ms: The server's own time when it was looked at, Unix milliseconds; 0 when it did not say.
    """

    reachable: bool = True
    initialised: bool = True
    running: bool = True
    incarnation: int = 0
    epoch: int = 0
    modes: frozenset[str] = frozenset()
    domain: str = ""
    counter: int = 0
    sealed: str = ""
    quarantine: Quarantine | None = None
    durable: bool = False
    drained: bool = False
    whole: bool = True
    synced: bool = False
    watermark_ms: int = 0
    owner: str = ""
    evicts: str = ""
    doubt: str = field(default="", compare=False)
    run_id: str = field(default="", compare=False)
    clock_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The bidders, as seen.

    Attributes:
        template: Mode in which new bidders start.
        modes: Modes of all bidders that are still listed, those that are ending included.
    """

    template: str
    modes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything seen at one moment; `owner` is the controller's own identity."""

    register: Register
    origin: Origin
    buckets: tuple[Bucket, ...]
    fleet: Fleet
    owner: str = ""

    def live(self, number: int) -> bool:
        """Whether a bucket runs as the incarnation that the register admitted."""
        bucket = self.buckets[number]
        return _alive(bucket) and bucket.incarnation == self.register.buckets[number].incarnation

    def superseded(self, number: int) -> bool:
        """Whether a bucket never restarted, but another was admitted after it: an address that leads to two servers in turn."""
        bucket = self.buckets[number]
        return _alive(bucket) and bucket.incarnation < self.register.buckets[number].incarnation

    def ahead(self, number: int) -> bool:
        """Whether a bucket never restarted, but was admitted by a register newer than this one."""
        bucket, remembered = self.buckets[number], self.register.buckets[number]
        return _alive(bucket) and bool(remembered.nonce) and bucket.incarnation > remembered.incarnation

    def gone(self, number: int) -> bool:
        """Whether a bucket lost data for certain: no meta, or it counts less than was once recorded."""
        bucket = self.buckets[number]
        return not bucket.initialised or bucket.counter < self.register.buckets[number].counter

    def kept(self, number: int) -> bool:
        """Whether a bucket that is not live has everything that was ever acknowledged: by its durability, or proved by a seal."""
        bucket, remembered = self.buckets[number], self.register.buckets[number]
        sealed = bool(remembered.seal) and bucket.sealed == remembered.seal
        durable = bucket.durable and not remembered.doubted and not self.superseded(number)
        return not self.gone(number) and (durable or sealed)

    def up(self, number: int) -> bool:
        """Whether a bucket can take part in a transition: live, and neither sealed nor about to be."""
        return self.live(number) and not self.buckets[number].sealed and not self.register.buckets[number].seal

    @property
    def target_ok(self) -> bool:
        """Whether every bucket is up."""
        return all(self.up(number) for number in range(len(self.buckets)))

    def windows(self) -> frozenset[str]:
        """The modes that a bucket should admit now: both ends of the transition, as far as the authority allows."""
        return frozenset(
            name
            for name in (self.register.source, self.register.to)
            if Role.TARGET in MODES[name].roles and (name not in TARGET_ONLY or self.register.authority is Role.TARGET)
        )


def _alive(bucket: Bucket) -> bool:
    """Whether the process that a bucket's meta names still runs; which incarnation it is, is another question."""
    return bucket.reachable and bucket.initialised and bucket.running
