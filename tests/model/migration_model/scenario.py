"""What may happen in one run of the model, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_model.rules import Rules
from migration_model.world import Bucket, BucketKnown, File, Fleet, Known, Past, World, durable_part

from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY
from bidlock.modes import MODES, Role

MUTEX, ONCE, TOKEN, GAP, LIVE = "MUTEX", "ONCE", "TOKEN", "GAP", "LIVE"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One configuration.

    Attributes:
        name: As tests and traces name it.
        modes: Modes that attempts may work in and that a human may want.
        start: Mode in which everything is settled at first.
        authority: Store that has the authority at first; by default the one that `start` needs.
        slots: Attempts at a time (in sequence there is no bound).
        tokens: Whether tokens are followed; then at most `grants` are drawn.
        grants: See `tokens`.
        controller: Whether a controller works; without one every mode of `modes` is admitted everywhere.
        second: Whether another controller may carry out late what it decided: "any" time, or decided while no attempt is "idle".
        late: What the other controller may be late with (names of actions); everything by default.
        partition: Whether a store may be out of the controller's reach.
        lost_replies: Whether a reply may be lost after its script was executed.
        restarts: Whether Redis may restart or fail over, with any prefix of its writes that `durable` allows.
        durable: Whether what was acknowledged survives a restart.
        wipes: Whether Redis may be wiped.
        older_copy: Whether an older copy of Redis may come back: only while what Redis counts is "recorded" in the register, or "unrecorded", too.
        two_servers: Another server, empty, may answer at Redis' address, and later the one of before, which ran all the while: "any" time, or
            only while "SQLite" has the authority.
        replaced_file: Whether the SQLite file may be replaced under the authority of Redis.
        lost_register: Whether the register may be lost.
        faults: How many of the above may happen (lost replies and crashes are not counted).
        seals: Planned stops of Redis.
        accepts: Whether a human accepts losses; the posting is then created at some time.
        buckets: Buckets of Redis; the posting is in the first.
        passes: Leases passed on, "inside" a process or "across" two.
        pass_modes: Whether giver and receiver may work in different modes.
        bots: Original bots beside: "bare", or behind the trigger "fence".
        lets: Whether a human lets original bots in and shuts them out at any time, whether they run or not.
        per_pod: Whether every slot has a SQLite file of its own.
        fleet: Whether bidders are a listed fleet that is rolled, instead of any mode anywhere at any time.
        marks: Whether best-effort markers after the bid are followed.
        checks: The properties.
        live: Whether LIVE is checked, too.
        expect: The property that breaks; None for none.
        rules: The stores' rules.
    """

    name: str
    modes: tuple[str, ...]
    start: str = ""
    authority: Role | None = None
    slots: int = 2
    tokens: bool = False
    grants: int = 3
    controller: bool = True
    second: str = ""
    late: tuple[str, ...] = ()
    partition: bool = False
    lost_replies: bool = False
    restarts: bool = False
    durable: bool = True
    wipes: bool = False
    older_copy: str = ""
    two_servers: str = ""
    replaced_file: bool = False
    lost_register: bool = False
    faults: int = 1
    seals: int = 0
    accepts: bool = False
    buckets: int = 1
    passes: str = ""
    pass_modes: bool = False
    bots: str = ""
    lets: bool = False
    per_pod: bool = False
    fleet: bool = False
    marks: bool = False
    checks: tuple[str, ...] = (MUTEX, ONCE, TOKEN)
    live: bool = False
    expect: str | None = None
    rules: Rules = field(default_factory=Rules)

    @property
    def first_mode(self) -> str:
        """The mode everything is settled in at first."""
        return self.start or self.modes[0]

    @property
    def copies(self) -> bool:
        """Whether Redis may come back from what is on its disk or on a replica."""
        return self.restarts

    def initial(self) -> World:
        """The first state."""
        mode = self.first_mode
        authority = self.authority or (Role.TARGET if mode in TARGET_ONLY else Role.ORIGIN)
        admitted = frozenset({mode}) if self.controller else frozenset(self.modes)
        file = File(modes=self._in_file(admitted))
        bucket = Bucket(modes=frozenset(m for m in admitted if Role.TARGET in MODES[m].roles), epoch=1)
        known = Known(1, mode, mode, authority, "file1", (BucketKnown(),) * self.buckets)
        return World(
            attempts=(None,) * self.slots,
            files=(file._replace(epoch=1),) * (self.slots if self.per_pod else 1),
            buckets=(bucket,) * self.buckets,
            known=known,
            disk=durable_part(bucket) if self.copies else None,
            fleet=Fleet(mode, (mode,) * self.slots) if self.fleet else None,
            past=Past(posted=0 if self.accepts else 1, bots=bool(self.bots)),
        )

    def _in_file(self, admitted: frozenset[str]) -> frozenset[str]:
        modes = frozenset(mode for mode in admitted if Role.ORIGIN in MODES[mode].required)
        return modes | {"legacy"} if self.bots and modes & ORIGIN_ONLY else modes
