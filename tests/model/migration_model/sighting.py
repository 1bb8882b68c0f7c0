"""What a controller sees of a state, and what the project's own `decide` and `rebuild` say to it."""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

from migration_model.registers import register_of
from migration_model.scenario import Scenario
from migration_model.world import BELIEVED, Attempt, Bucket, File, Known, World

from bidlock.migration import deciding, rebuilding
from bidlock.migration.actions import Action, Halt, Noop, Refuse, Sealing, Wait
from bidlock.migration.sight import LEGACY, ORIGIN_ONLY, Origin, Quarantine, Sight
from bidlock.migration.sight import Bucket as SeenBucket
from bidlock.migration.sight import Fleet as SeenFleet
from bidlock.migration.wishes import Wish
from bidlock.modes import MODES, Role


class Options(NamedTuple):
    """What the controllers of a scenario may meet and be asked for."""

    modes: tuple[str, ...]
    seals_left: bool
    partition: bool
    durable: bool
    lets: bool = False


class View(NamedTuple):
    """Everything a decision depends on; equal views are decided once."""

    known: Known | None
    file: File
    drained: bool
    buckets: tuple[Bucket, ...]
    bucket_drained: tuple[bool, ...]
    whole: tuple[bool, ...]
    fleet: tuple[str, frozenset[str]]
    accepted: str


class Choice(NamedTuple):
    """One action, and for which wishes (a bit per mode) it is decided; `offline`: also with Redis out of reach."""

    action: Action
    wishes: int
    offline: bool


def view_of(world: World) -> View:
    """What there is to be seen, without what only attempts know."""
    file = world.files[0]._replace(holder=0, marker=0)
    buckets = tuple([bucket._replace(holder=0, marker=0, settling=frozenset()) for bucket in world.buckets])
    others = world.buckets[1:]
    fleet = world.fleet
    listed = fleet.modes if fleet else (world.known.to,) if world.known else ()
    return View(
        known=world.known,
        file=file,
        drained=_file_drained(world),
        buckets=buckets,
        bucket_drained=(_bucket_drained(world), *("leases" not in other.settling for other in others)),
        whole=(_whole(world), *("lost leases" not in other.settling for other in others)),
        fleet=(
            fleet.template if fleet else world.known.to if world.known else "",
            frozenset(listed) | ({LEGACY} if world.past.bots else set()),
        ),
        accepted=world.past.accepted,
    )


def _file_drained(world: World) -> bool:
    """No row of a mode that rests on SQLite alone. A row without an attempt counts as drained, which only adds behaviour."""
    holder = world.files[0].holder
    attempt = world.attempts[holder] if 0 <= holder < len(world.attempts) else None
    return attempt is None or attempt.mode not in ORIGIN_ONLY


def _bucket_drained(world: World) -> bool:
    """The timer since the last closing: every lease that cannot have been renewed since has run out."""
    modes = world.buckets[0].modes
    return not any(a and a.target == BELIEVED and (a.mode not in modes or a.old_file) for a in world.attempts)


def _whole(world: World) -> bool:
    """The timer since the last loss: nobody believes in a lease that Redis does not have.

    Who has still to confirm believes in nothing yet: after a restart that kept what was acknowledged the timer does not run at
    all, though such a lease may be gone.
    """
    holder = world.buckets[0].holder
    return not any(a and a.target and holder != slot and _relies_on_target(a) for slot, a in enumerate(world.attempts))


def _relies_on_target(attempt: Attempt) -> bool:
    mode = MODES.get(attempt.mode)
    return mode is not None and Role.TARGET in mode.required and attempt.step >= len(mode.roles) + len(mode.confirms)


@functools.cache
def choices(view: View, options: Options) -> tuple[Choice, ...]:
    """Every action that some wish, and some store out of reach, makes a controller decide."""
    found: dict[Action, Choice] = {}
    for there in ((True, True), (True, False), (False, True)) if options.partition else ((True, True),):
        for number, mode in enumerate(options.modes):
            for wanted, bots in itertools.product(_seals(view, options), (True, False) if options.lets else (None,)):
                wish = Wish(mode, wanted, frozenset({view.accepted}), clock_skew_ms=0, accept_not_durable=True, original_bots=bots)
                action = _decided(view, options, wish, there)
                if isinstance(action, Noop | Wait | Refuse | Halt) or (isinstance(action, Sealing) and not options.seals_left):
                    continue
                before = found.get(action, Choice(action, 0, False))
                mask = before.wishes | (0 if wanted else 1 << number)
                found[action] = Choice(action, mask, before.offline or not there[1])
    return tuple(found.values())


def _seals(view: View, options: Options) -> tuple[frozenset[int], ...]:
    """Buckets that may be wanted sealed."""
    return (frozenset(), frozenset({0})) if options.seals_left or _sealing(view) else (frozenset(),)


def _sealing(view: View) -> bool:
    return view.known is not None and any(bucket.seal for bucket in view.known.buckets)


def _decided(view: View, options: Options, wish: Wish, there: tuple[bool, bool]) -> Action:
    origin = _origin(view) if there[0] else Origin(reachable=False)
    buckets = tuple(_bucket(view, number, options) if there[1] else SeenBucket(reachable=False) for number in range(len(view.buckets)))
    if view.known is None:
        return rebuilding.rebuild(origin, buckets)
    template, listed = view.fleet
    if wish.original_bots is not None:  # who is asked whether they may work beside is also who tells that they do
        listed = listed - {LEGACY} | ({LEGACY} if wish.original_bots else frozenset())
    return deciding.decide(Sight(register_of(view.known), origin, buckets, SeenFleet(template, listed)), wish)


def _origin(view: View) -> Origin:
    file = view.file
    if not file.initialised:
        return Origin(initialised=False)
    return Origin(
        domain=file.domain,
        epoch=file.epoch,
        modes=file.modes,
        drained=view.drained,
        synced=file.synced,
        counter=file.counter,
        watermark_ms=file.watermark,
    )


def _bucket(view: View, number: int, options: Options) -> SeenBucket:
    bucket = view.buckets[number]
    quarantine = Quarantine(*bucket.planted) if bucket.planted else None
    if not bucket.initialised:
        return SeenBucket(initialised=False, quarantine=quarantine, durable=options.durable, counter=bucket.counter)
    return SeenBucket(
        running=bucket.running,
        incarnation=bucket.incarnation,
        epoch=bucket.epoch,
        modes=bucket.modes,
        domain=bucket.domain,
        counter=bucket.counter,
        sealed=bucket.sealed,
        quarantine=quarantine,
        durable=options.durable,
        drained=view.bucket_drained[number],
        whole=view.whole[number],
        synced=bucket.synced,
        watermark_ms=bucket.watermark,
    )


def sight_of(world: World, options: Options | None = None) -> Sight | Action:
    """What a controller sees of a state with every store in reach; without a register, what is to become of it."""
    view, options = view_of(world), options or Options((), seals_left=False, partition=False, durable=True)
    origin = _origin(view)
    buckets = tuple(_bucket(view, number, options) for number in range(len(view.buckets)))
    if view.known is None:
        return rebuilding.rebuild(origin, buckets)
    return Sight(register_of(view.known), origin, buckets, SeenFleet(*view.fleet))


def forget() -> None:
    """Drop what was decided: another run may have other rules."""
    choices.cache_clear()


def options_of(scenario: Scenario, world: World) -> Options:
    """The options now."""
    return Options(scenario.modes, world.past.seals < scenario.seals, scenario.partition, scenario.durable, scenario.lets)
