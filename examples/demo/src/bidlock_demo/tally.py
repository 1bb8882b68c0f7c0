"""What happened in one act, as it is shown, summed up and written as JSON."""

from __future__ import annotations

import enum
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Phase(enum.StrEnum):
    """How far an act is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass
class Act:
    """One run over the whole feed.

    Attributes:
        name: For programs: `seed`, `sqlite`, `redis`.
        title: For humans.
        postings: Different postings in the feed.
        bids: Bids that the marketplace accepted.
        duplicates: Every bid after a posting's first.
        causes: Duplicates by what let them through; only the seed's way has any.
        skips: Tries that ended without a bid, by reason.
        settled: Postings that some bidder needs no further try for.
        kills: Bidders killed with SIGKILL.
        redis_restarts: Times the server was killed and started again.
        without_bid: Postings nobody bid on, by why.
        phase: How far it is.
        where: Phase of the migration that the fleet is in; empty in acts without one.
        walks: Walks that reached their goal.
        phases_seen: Phases of the migration that the fleet was in.
        modes: Bids by the mode in which they were placed.
        controller_kills: Controllers killed with SIGKILL.
    """

    name: str
    title: str
    postings: int
    bids: int = 0
    duplicates: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    settled: set[tuple[str, str]] = field(default_factory=set)
    kills: int = 0
    redis_restarts: int = 0
    without_bid: Counter[str] = field(default_factory=Counter)
    phase: Phase = Phase.WAITING
    where: str = ""
    walks: int = 0
    phases_seen: set[str] = field(default_factory=set)
    modes: Counter[str] = field(default_factory=Counter)
    controller_kills: int = 0
    _began: float = 0.0
    _ended: float = 0.0

    def begin(self) -> None:
        """The first bidder is about to start."""
        self.phase, self._began = Phase.RUNNING, time.monotonic()

    def end(self) -> None:
        """The last bidder has ended, and everything is counted."""
        self.phase, self._ended = Phase.DONE, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it took, or takes already."""
        if self.phase is Phase.WAITING:
            return 0.0
        return (self._ended or time.monotonic()) - self._began

    def count(self, stats: Mapping[str, Any]) -> None:
        """Take over what the marketplace counted."""
        self.bids, self.duplicates = stats["bids"], stats["duplicates"]

    def document(self) -> dict[str, Any]:
        """The act as JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "postings": self.postings,
            "bids": self.bids,
            "duplicates": self.duplicates,
            "duplicate_causes": dict(self.causes),
            "skipped_by_reason": dict(self.skips),
            "kills": self.kills,
            "redis_restarts": self.redis_restarts,
            "without_bid": dict(self.without_bid),
            "walks": self.walks,
            "phases_seen": sorted(self.phases_seen),
            "bids_by_mode": dict(self.modes),
            "controller_kills": self.controller_kills,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Report:
    """All acts.

    Attributes:
        seed: The seed's way.
        guarded: bidlock's acts.
        broken_lines: Lines of the feed that are no posting.
        seconds: The whole demo.
    """

    seed: Act
    guarded: Sequence[Act]
    broken_lines: int
    seconds: float

    @property
    def duplicates(self) -> int:
        """Duplicate bids under bidlock."""
        return sum(act.duplicates for act in self.guarded)

    @property
    def proven(self) -> bool:
        """Whether the demo showed what it is for: bidlock had no duplicate where the seed's way had some."""
        return self.duplicates == 0 and self.seed.duplicates > 0 and all(act.bids for act in self.guarded)

    def document(self) -> dict[str, Any]:
        """The report as JSON; the counts outside `acts` are those of bidlock's acts."""
        return {
            "seed_duplicates": self.seed.duplicates,
            "bidlock_duplicates": self.duplicates,
            "postings": self.seed.postings,
            "bids": sum(act.bids for act in self.guarded),
            "skipped_by_reason": dict(sum((act.skips for act in self.guarded), Counter())),
            "kills": sum(act.kills for act in self.guarded),
            "redis_restarts": sum(act.redis_restarts for act in self.guarded),
            "without_bid": dict(sum((act.without_bid for act in self.guarded), Counter())),
            "walks": sum(act.walks for act in self.guarded),
            "phases_seen": sorted(set().union(*(act.phases_seen for act in self.guarded))),
            "broken_lines": self.broken_lines,
            "seconds": round(self.seconds, 2),
            "acts": [act.document() for act in (self.seed, *self.guarded)],
        }
