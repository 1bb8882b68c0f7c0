"""What is wrong with a history. Pure functions that know nothing of bidlock: only what was written down counts."""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bidlock_soak.history import Belief, Bid, Grant, History, Outage, Try


class OfPosting(Protocol):
    """Whatever is about one posting."""

    @property
    def posting(self) -> str:
        """The posting."""


Item = TypeVar("Item", bound=OfPosting)


@dataclass(frozen=True)
class Verdict:
    """What a soak ends with. Times are seconds.

    Attributes:
        bids: How many bids were placed.
        duplicates: Bids on a posting that had been bid on before.
        overlaps: Pairs of processes that believed at one moment to hold one posting.
        regressions: Leases whose token is not higher than one of the posting that was known before they were asked for.
        lost: Postings that nobody bid on though nobody can say why.
        longest_pause: Longest time without a bid while the stores could be reached.
        guarded_pause: The same, without the times in which no controller was at work.
        recoveries: From the first answer of a restarted store that had the authority to the next bid, while a
            controller was at work.
    """

    bids: int
    duplicates: tuple[Bid, ...]
    overlaps: tuple[tuple[Belief, Belief], ...]
    regressions: tuple[tuple[Grant, Grant], ...]
    lost: tuple[str, ...]
    longest_pause: float
    guarded_pause: float
    recoveries: tuple[float, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not (self.duplicates or self.overlaps or self.regressions or self.lost)

    @property
    def recovery(self) -> float | None:
        """The median recovery; None without any."""
        return statistics.median(self.recoveries) if self.recoveries else None


def check(history: History) -> Verdict:
    """Everything about a history."""
    times = [bid.at for bid in history.bids]
    return Verdict(
        bids=len(history.bids),
        duplicates=tuple(duplicates(history.bids)),
        overlaps=tuple(overlaps(history.beliefs)),
        regressions=tuple(regressions(history.grants)),
        lost=tuple(sorted(lost(history.tries, history.bids))),
        longest_pause=longest_pause(times, history.outages, history.span),
        guarded_pause=longest_pause(times, [*history.outages, *history.absences], history.span),
        recoveries=tuple(recoveries(times, history.outages, history.absences)),
    )


def duplicates(bids: Iterable[Bid]) -> list[Bid]:
    """Every bid on a posting except the first."""
    return [bid for of_one in _grouped(bids, lambda bid: bid.at) for bid in of_one[1:]]


def overlaps(beliefs: Iterable[Belief]) -> list[tuple[Belief, Belief]]:
    """Pairs of beliefs about one posting that share a moment."""
    found = []
    for of_one in _grouped(beliefs, lambda belief: belief.start):
        longest = of_one[0]
        for belief in of_one[1:]:
            if belief.start < longest.end:
                found.append((longest, belief))
            longest = max(longest, belief, key=lambda one: one.end)
    return found


def regressions(grants: Iterable[Grant]) -> list[tuple[Grant, Grant]]:
    """Grants of one posting whose token does not exceed that of a grant which was known before they were asked for.

    Two that were asked for at the same time may come to be known in either order.
    """
    found = []
    for of_one in _grouped(grants, lambda grant: grant.asked):
        earlier = iter(sorted(of_one, key=lambda grant: grant.known))
        pending, highest = next(earlier), None
        for grant in of_one:
            while pending is not None and pending.known < grant.asked:
                highest = pending if highest is None else max(highest, pending, key=lambda one: one.token)
                pending = next(earlier, None)  # type: ignore[assignment]  # None ends the loop
            if highest is not None and grant.token <= highest.token:
                found.append((highest, grant))
    return found


def lost(tries: Iterable[Try], bids: Iterable[Bid]) -> set[str]:
    """Postings that somebody tried to bid on, that have no bid, and for which there is no reason.

    A reason is an attempt that may have claimed the posting and never came to bid: its process was killed, or it had a
    lease and was refused afterwards. A posting is given up then rather than bid on twice. So it is after a loss of data
    that was accepted (`watermark`).
    """
    tried, excused = set(), set()
    for one in tries:
        tried.add(one.posting)
        if one.ended in ("", "watermark") or (one.leased and one.ended != "placed"):
            excused.add(one.posting)
    return tried - excused - {bid.posting for bid in bids}


def longest_pause(bids: Iterable[float], outages: Iterable[Outage], span: tuple[float, float]) -> float:
    """Longest time between two bids of which no moment is an outage; also before the first and after the last, seconds."""
    begun, ended = span
    marks = [(begun, begun), (ended, ended), *((at, at) for at in bids if begun <= at <= ended)]
    marks += [(outage.start, outage.end) for outage in outages if outage.start < ended]
    longest, awake = 0.0, begun
    for start, end in sorted(marks):
        longest = max(longest, start - awake)
        awake = max(awake, min(end, ended))
    return longest


def recoveries(bids: Sequence[float], outages: Iterable[Outage], absences: Sequence[Outage] = ()) -> list[float]:
    """For each outage of a store that had the authority: seconds from its end to the next bid.

    Left out is what no controller was there for all the time: nobody could have opened the store again.
    """
    found = []
    for outage in outages:
        following = next((at for at in bids if at >= outage.end), None)
        if outage.deciding and following is not None and not any(_shared(absence, outage.end, following) for absence in absences):
            found.append(following - outage.end)
    return found


def _shared(absence: Outage, start: float, end: float) -> bool:
    return absence.start < end and start < absence.end


def _grouped(items: Iterable[Item], order: Callable[[Item], float]) -> Iterable[list[Item]]:
    groups: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.posting].append(item)
    return [sorted(group, key=order) for group in groups.values()]


def line(verdict: Verdict, walks: int, faults: int) -> str:
    """The verdict line."""
    return (
        f"soak: bids {verdict.bids}, duplicates {len(verdict.duplicates)}, overlaps {len(verdict.overlaps)},"
        f" regressions {len(verdict.regressions)}, walks {walks}, faults {faults}, longest pause {verdict.longest_pause:.1f} s"
    )


def findings(verdict: Verdict, limit: int = 5) -> Iterable[str]:
    """The first few findings of each kind, for humans."""
    yield from (f"duplicate: {bid}" for bid in verdict.duplicates[:limit])
    yield from (f"overlap: {one} and {two}" for one, two in verdict.overlaps[:limit])
    yield from (f"regression: {one} and then {two}" for one, two in verdict.regressions[:limit])
    yield from (f"lost without a reason: {posting}" for posting in itertools.islice(verdict.lost, limit))
