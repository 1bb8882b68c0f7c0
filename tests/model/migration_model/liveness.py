"""LIVE: from every state, once nothing breaks any more, what is wanted can be reached. AG EF, on the graph of a finished search."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import NamedTuple

from migration_model.properties import admitted
from migration_model.scenario import Scenario
from migration_model.sighting import Options, sight_of
from migration_model.upkeep import is_live
from migration_model.world import NONE, World

from bidlock.migration import actions, deciding
from bidlock.modes import MODES, Role

FAULTS = (
    "crashes",
    "stops",
    "leases Redis, but never hears of it",
    "claims in Redis, but does not hear of it",
    "Redis restarts or fails over",
    "Redis is wiped",
    "another server, empty, answers for Redis",
    "the server of before answers for Redis",
    "the SQLite file is replaced",
    "the register is lost",
    "the other bucket restarts",
    "the other bucket is wiped",
    "another controller decides",
    "another controller copies, but has not stamped it",
    "the late controller",
)
EVERY_WISH = 255
BIDDERS, OFFLINE, STOP = 1, 2, 4


class Graph:
    """The edges of a search: from, to, for which wishes, and of what kind."""

    def __init__(self) -> None:
        self.sources, self.targets = array("L"), array("L")
        self.wishes, self.kinds = array("B"), array("B")

    def add(self, source: int, target: int, label: tuple[object, ...]) -> None:
        """Note one edge, unless it is a fault."""
        who = label[0]
        if who in FAULTS:
            return
        wishes, kind = EVERY_WISH, 0
        if who == "the controller":
            wishes, kind = int(label[2]), OFFLINE if label[3] else 0  # type: ignore[call-overload]  # a bit per wish
            if isinstance(label[1], actions.Sealing | actions.Seal):
                kind |= STOP
        elif len(label) == 3 and label[2] in MODES and not str(who).startswith("lease runs"):
            kind = BIDDERS
        elif who not in ("the disk catches up", "a human accepts the loss"):
            kind = OFFLINE
        self.sources.append(source)
        self.targets.append(target)
        self.wishes.append(wishes)
        self.kinds.append(kind)

    def backwards(self, count: int, usable: Callable[[int, int], bool]) -> list[list[int]]:
        """For every state, the states one usable edge before it."""
        before: list[list[int]] = [[] for _ in range(count)]
        allowed = {}
        for source, target, wishes, kind in zip(self.sources, self.targets, self.wishes, self.kinds, strict=True):
            if (wishes, kind) not in allowed:
                allowed[wishes, kind] = usable(wishes, kind)
            if allowed[wishes, kind]:
                before[target].append(source)
        return before


class Goal(NamedTuple):
    """What must be reachable, from where, and by which edges."""

    name: str
    reached: Callable[[World], bool]
    asked: Callable[[World], bool]
    usable: Callable[[int, int], bool]


def goals(scenario: Scenario) -> list[Goal]:
    """Every goal of a scenario."""
    found = [
        Goal(
            f"{mode} can be reached",
            _settled_in(mode),
            _unhalted_in(scenario),
            lambda wishes, kind, bit=1 << n: bool(wishes & bit) and not kind & STOP,
        )
        for n, mode in enumerate(scenario.modes)
    ]
    found.append(
        Goal(
            "an unclaimed posting can be bid on",
            lambda world: world.past.bids > 0,
            _biddable,
            lambda wishes, kind: kind == BIDDERS or (kind == OFFLINE and wishes == EVERY_WISH),
        )
    )
    if scenario.partition and "dual" in scenario.modes:
        bit = 1 << scenario.modes.index("dual")
        found.append(
            Goal(
                "dual can be reached without Redis",
                _settled_in("dual"),
                _rests_on_sqlite,
                lambda wishes, kind: bool(wishes & bit) and kind == OFFLINE,
            )
        )
    return found


def _rests_on_sqlite(world: World) -> bool:
    """SQLite has the authority; and the fleet is not at rest where the first step would need Redis."""
    known = world.known
    return known is not None and known.authority is Role.ORIGIN and (known.source, known.to) != ("sqlite", "sqlite")


def _settled_in(mode: str) -> Callable[[World], bool]:
    def settled(world: World) -> bool:
        known = world.known
        if known is None or known.source != mode or known.to != mode or not _open(world, mode):
            return False
        return world.fleet is None or {world.fleet.template, *world.fleet.modes} == {mode}

    return settled


def _open(world: World, mode: str) -> bool:
    """Whether every store the mode requires admits it now."""
    bucket, required = world.buckets[0], MODES[mode].required
    usable = is_live(bucket) and not bucket.sealed and (mode != "strict" or bucket.domain == world.files[0].domain)
    return admitted(world, mode) and (Role.TARGET not in required or usable)


def _unhalted_in(scenario: Scenario) -> Callable[[World], bool]:
    options = Options((), seals_left=False, partition=False, durable=scenario.durable)
    return lambda world: _unhalted(world, options)


def _unhalted(world: World, options: Options) -> bool:
    """No human is needed first."""
    sight = sight_of(world, options)
    if isinstance(sight, actions.Halt):
        return False
    if isinstance(sight, actions.Recreate):
        return not any(not is_live(bucket) for bucket in world.buckets)
    accepted = world.past.accepted
    for number, bucket in enumerate(sight.buckets):
        named = bucket.quarantine is not None and bucket.quarantine.nonce == accepted
        if not sight.live(number) and deciding.lost(sight, number) and not named:
            return False
    return True


def _biddable(world: World) -> bool:
    """Settled, open, and nobody has claimed the posting nor is about to."""
    known = world.known
    if known is None or not _settled_in(known.to)(world) or world.past.bids or not world.past.posted:
        return False
    stores = (*world.files, world.buckets[0])
    if any(store.marker != NONE or (store.watermark and world.past.posted <= store.watermark) for store in stores):
        return False
    return not any(attempt and attempt.old_file for attempt in world.attempts)


def stuck(scenario: Scenario, worlds: list[World], graph: Graph) -> tuple[str, int] | None:
    """A goal that cannot be reached, and a state (the first found) from which it cannot; None if there is none."""
    for goal in goals(scenario):
        before = graph.backwards(len(worlds), goal.usable)
        good = bytearray(len(worlds))
        todo = [number for number, world in enumerate(worlds) if goal.reached(world)]
        for number in todo:
            good[number] = 1
        while todo:
            for earlier in before[todo.pop()]:
                if not good[earlier]:
                    good[earlier] = 1
                    todo.append(earlier)
        for number, world in enumerate(worlds):
            if not good[number] and goal.asked(world):
                return goal.name, number
    return None
