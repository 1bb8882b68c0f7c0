"""The controller's one decision: from what is seen and what is wanted to one action on one object.

`decide` is pure. Its rules are asked in the order of `RULES`; the first that has something to say decides. The order
is the protocol's: recover restarted buckets, honour seals, adopt a replaced file, settle drift, turn round, flip the
authority (fence, drain, copy, authorise), open, roll, close, settle. Every condition a rule relies on stays true until
the register is written, and such a write voids whatever another controller decided before; hence a crash at any
point, or a second controller, is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bidlock.migration import actions
from bidlock.migration.actions import Action
from bidlock.migration.register import generation
from bidlock.migration.sight import LEGACY, ORIGIN_ONLY, TARGET_ONLY, Bucket, Origin, Quarantine, Sight
from bidlock.migration.wishes import Wish
from bidlock.modes import MODES, Role

LADDER = tuple(MODES)
"""The modes in the order they are walked."""

Rule = Callable[[Sight, Wish], Action | None]


def decide(sight: Sight, wish: Wish, rules: tuple[Rule, ...] | None = None) -> Action:
    """What to do next.

    Args:
        sight: What is seen now.
        wish: What a human wants.
        rules: Other rules than `RULES`; only the model checker leaves some out, to show that each is needed.

    Returns:
        One action. After it was done (or failed), look again and decide again.
    """
    for rule in RULES if rules is None else rules:
        if action := rule(sight, wish):
            return action
    return actions.Settle()


def refuse_strangers(sight: Sight, wish: Wish) -> Action | None:
    """Nothing is ever written into a store that belongs to somebody else."""
    if sight.origin.reachable and sight.origin.initialised and sight.origin.owner != sight.owner:
        return actions.Refuse("OwnerMismatch", _STRANGER.format(store="origin", owner=sight.origin.owner, mine=sight.owner))
    for bucket in sight.buckets:
        if bucket.reachable and bucket.initialised and bucket.owner != sight.owner:
            return actions.Refuse("OwnerMismatch", _STRANGER.format(store="target", owner=bucket.owner, mine=sight.owner))
    return None


def follow_generation(sight: Sight, wish: Wish) -> Action | None:
    """A store that was out of sight when a lost register was rebuilt may carry a later generation: go above it.

    One that carries a later epoch of the same generation was written by a controller with a newer register than this.
    """
    newest = max(epochs(sight), default=0)
    if generation(newest) > generation(sight.register.epoch):
        return actions.NewGeneration(generation(newest) + 1)
    return actions.Halt("RegisterOutdated", _OUTDATED) if newest > sight.register.epoch else None


def epochs(sight: Sight) -> list[int]:
    """Epochs that the stores in reach carry."""
    stores: tuple[Origin | Bucket, ...] = (sight.origin, *sight.buckets)
    return [store.epoch for store in stores if store.reachable and store.initialised]


def recover(sight: Sight, wish: Wish) -> Action | None:
    """A bucket that answers but is not live restarted, failed over or was wiped: plant, incarnate, bless. At once.

    Under the target's authority a bucket that lost something stays closed until a human accepts it; the others recover
    meanwhile.
    """
    for number, bucket in enumerate(sight.buckets):
        if not bucket.reachable or sight.live(number) or sight.ahead(number):
            continue
        if bucket.quarantine is None:
            return name(sight, number)
        if lost(sight, number) and bucket.quarantine.nonce not in wish.accepted:
            continue
        return admit(sight, wish, number, bucket.quarantine)
    return None


def name(sight: Sight, number: int) -> Action:
    """A bucket that restarted is planted. One that never did is recognised; or closed first, because another was admitted after it."""
    bucket = sight.buckets[number]
    if bucket.initialised and bucket.running and not sight.register.buckets[number].nonce:
        return actions.Recognise(number, bucket.incarnation)
    if sight.superseded(number) and bucket.modes:
        return actions.Close(Role.TARGET, min(bucket.modes), number)
    return actions.Plant(number)


def admit(sight: Sight, wish: Wish, number: int, quarantine: Quarantine) -> Action:
    """Record the incarnation first: that write voids every pending one of another controller. Then open."""
    remembered = sight.register.buckets[number]
    if remembered.nonce != quarantine.nonce:
        watermark = quarantine.since_ms + wish.clock_skew_ms if lost(sight, number) else 0
        return actions.Incarnate(number, quarantine.nonce, watermark)
    modes = frozenset[str]() if remembered.seal or sight.buckets[number].evicts else sight.windows()
    return actions.Bless(number, quarantine.nonce, modes, remembered.seal, sight.kept(number))


def lost(sight: Sight, number: int) -> bool:
    """Whether markers that exist nowhere else may be gone."""
    return sight.register.authority is Role.TARGET and not sight.kept(number)


def halt_on_loss(sight: Sight, wish: Wish) -> Action | None:
    """Whatever recovers by itself has done so; the rest needs a human."""
    for number, bucket in enumerate(sight.buckets):
        if sight.ahead(number):
            return actions.Halt("RegisterOutdated", _AHEAD.format(number=number, found=bucket.incarnation), number)
        if bucket.reachable and not sight.live(number) and bucket.quarantine is not None:
            return actions.Halt(
                "AuthorityLost", _LOSS.format(number=number, nonce=bucket.quarantine.nonce), number, bucket.quarantine.nonce
            )
    return None


def keep_seals(sight: Sight, wish: Wish) -> Action | None:
    """Seal before a planned stop; afterwards void the seal in the register first, and only then reopen the bucket.

    A server that may evict keys is sealed, too, for as long as it may: whoever forgets a marker lets it be bid twice.
    """
    for number, bucket in enumerate(sight.buckets):
        if action := keep_seal(sight, number, number in wish.sealed or bool(bucket.evicts)):
            return action
    return None


def keep_seal(sight: Sight, number: int, wanted: bool) -> Action | None:
    """What one bucket's seal asks for."""
    bucket, seal = sight.buckets[number], sight.register.buckets[number].seal
    if not sight.live(number):
        return None
    if seal and not wanted:
        return actions.Resume(number)
    if seal and bucket.sealed != seal:
        return actions.Seal(number, seal)
    if not seal and bucket.sealed:
        return actions.Reopen(number, bucket.sealed, sight.windows())
    return actions.Sealing(number) if wanted and not seal else None


def wait_sealed(sight: Sight, wish: Wish) -> Action | None:
    """Under a seal nothing but the stop itself goes on."""
    if any(sight.live(n) and sight.buckets[n].sealed and sight.buckets[n].sealed == sight.register.buckets[n].seal for n in wish.sealed):
        return actions.Wait(
            "Sealed", "every window is closed and the seal stands: it is safe to stop the store; take the wish for the seal back to go on"
        )
    return None


def initialise_file(sight: Sight, wish: Wish) -> Action | None:
    """A new origin file admits nothing until it is adopted. While the old one had the authority, its markers are lost."""
    if not sight.origin.reachable or sight.origin.initialised:
        return None
    if sight.register.authority is Role.ORIGIN:
        return actions.Halt("AuthorityLost", _FILE_LOSS.format(found="empty", known=sight.register.domain))
    return actions.Initialise()


def adopt_file(sight: Sight, wish: Wish) -> Action | None:
    """The origin is another file than the register knows. While it had the authority, its markers are lost."""
    if not sight.origin.reachable or sight.origin.domain == sight.register.domain:
        return None
    if sight.register.authority is Role.ORIGIN:
        return actions.Halt("AuthorityLost", _FILE_LOSS.format(found=sight.origin.domain, known=sight.register.domain))
    return actions.AdoptDomain(sight.origin.domain)


def adopt_in_buckets(sight: Sight, wish: Wish) -> Action | None:
    """Buckets know the origin file, so that a pod that has another one open is refused."""
    for number, bucket in enumerate(sight.buckets):
        if sight.live(number) and bucket.domain != sight.register.domain:
            return actions.Adopt(number)
    return None


def raise_watermarks(sight: Sight, wish: Wish) -> Action | None:
    """The register's watermark reaches every store that answers, before anything else is copied or opened."""
    mark = sight.register.watermark_ms
    if sight.origin.reachable and sight.origin.initialised and sight.origin.watermark_ms < mark:
        return actions.RaiseWatermark(Role.ORIGIN)
    for number, bucket in enumerate(sight.buckets):
        if sight.live(number) and bucket.watermark_ms < mark:
            return actions.RaiseWatermark(Role.TARGET, number)
    return None


def admit_original_bots(sight: Sight, wish: Wish) -> Action | None:
    """Original bots have a window of their own, which is open while a human wants it and the origin has the authority."""
    origin = sight.origin
    if wish.original_bots is None or not origin.reachable or sight.register.authority is not Role.ORIGIN:
        return None
    if wish.original_bots and LEGACY not in origin.modes and authority_of(sight) is Role.ORIGIN:
        return actions.Open(Role.ORIGIN, LEGACY)
    return actions.Close(Role.ORIGIN, LEGACY) if LEGACY in origin.modes and not wish.original_bots else None


def rest_or_begin(sight: Sight, wish: Wish) -> Action | None:
    """Settled: mend drift, rest, or begin the next step of the ladder. A recovering register begins nothing."""
    register = sight.register
    if not register.settled or register.recovering:
        return None
    if wish.mode == register.to:
        return open_missing(sight, required_only=True) or roll_template(sight) or miss_required(sight) or actions.Noop()
    step = 1 if LADDER.index(wish.mode) > LADDER.index(register.to) else -1
    following = LADDER[LADDER.index(register.to) + step]
    return refuse(sight, wish, following, forward=step > 0) or actions.Begin(register.to, following)


def miss_required(sight: Sight) -> Action | None:
    """Settled, but on a store that is not there: bidders skip everything, which is not what was wanted."""
    required = MODES[sight.register.to].required
    if Role.TARGET in required and not sight.target_ok:
        return actions.Wait("RedisUnavailable", _NOBODY_BIDS.format(store="target"))
    if Role.ORIGIN in required and not sight.origin.reachable:
        return actions.Wait("SQLiteUnavailable", _NOBODY_BIDS.format(store="origin"))
    return None


def refuse(sight: Sight, wish: Wish, following: str, *, forward: bool) -> Action | None:
    """A step forward is not begun on a target that cannot carry it."""
    if not forward or Role.TARGET not in MODES[following].roles:
        return None
    if any(bucket.evicts for bucket in sight.buckets):
        return actions.Refuse("RedisEvictionUnsafe", _EVICTS)
    if not sight.target_ok:
        return actions.Refuse("RedisUnavailable", "the target store does not answer, or is not open; mend it first (no step was begun)")
    if following == "primary" and not wish.accept_not_durable and not all(bucket.durable for bucket in sight.buckets):
        return actions.Refuse("RedisNotDurable", _NOT_DURABLE)
    return None


def turn_round(sight: Sight, wish: Wish) -> Action | None:
    """What is wanted now lies at or behind where the transition came from: go back the same way."""
    register = sight.register
    if register.recovering or register.settled:
        return None
    source, to, wanted = (LADDER.index(name) for name in (register.source, register.to, wish.mode))
    back = wanted <= source if to > source else wanted >= source
    return actions.Begin(register.to, register.source) if back else None


def flip_authority(sight: Sight, wish: Wish) -> Action | None:
    """A mode that rests on one store alone needs that store to hold everything: fence, drain, copy, authorise."""
    needed = authority_of(sight)
    if needed is sight.register.authority:
        return None
    for rule in FLIP:
        if action := rule(sight, wish):
            return action
    return actions.Authorise(needed)


def authority_of(sight: Sight) -> Role:
    """The store that must have the authority before `to` may be opened."""
    register = sight.register
    if register.recovering or register.to in ORIGIN_ONLY:
        return Role.ORIGIN
    return Role.TARGET if register.to in TARGET_ONLY else register.authority


def flip_needs_both(sight: Sight, wish: Wish) -> Action | None:
    """Nothing is copied from or to a store that is not there."""
    if not sight.target_ok:
        blocked = "RollbackBlocked" if sight.register.authority is Role.TARGET else "RedisUnavailable"
        return actions.Wait(blocked, "the target store must be reachable and open before the authority can change hands; bring it back")
    if not sight.origin.reachable:
        return actions.Wait(
            "SQLiteUnavailable", "the origin store must be reachable before the authority can change hands; bring its agent back"
        )
    return None


def wait_for_original_bots(sight: Sight, wish: Wish) -> Action | None:
    """Original bots know only the origin."""
    if sight.register.authority is Role.ORIGIN and LEGACY in sight.fleet.modes:
        return actions.Wait("LegacyPodsRunning", _ORIGINALS)
    return None


def fence(sight: Sight, wish: Wish) -> Action | None:
    """Close the modes that rest on the present authority alone. Also when none is open: it locks out an older controller."""
    if sight.register.authority is Role.ORIGIN:
        stale = sight.origin.epoch < sight.register.epoch or sight.origin.modes & ORIGIN_ONLY
        return actions.Fence(Role.ORIGIN) if stale else None
    for number, bucket in enumerate(sight.buckets):
        if bucket.epoch < sight.register.epoch or bucket.modes & TARGET_ONLY:
            return actions.Fence(Role.TARGET, number)
    return None


def drain(sight: Sight, wish: Wish) -> Action | None:
    """Leases of the fenced modes must expire, and those of strict holders that a restart lost."""
    if sight.register.authority is Role.ORIGIN:
        drained = sight.origin.drained and all(bucket.whole for bucket in sight.buckets)
    else:
        drained = all(bucket.drained for bucket in sight.buckets)
    return (
        None if drained else actions.Wait("Draining", "leases of the mode just closed run out; this takes at most one TTL and the margin")
    )


def copy(sight: Sight, wish: Wish) -> Action | None:
    """Only after the fence and the drain: what is copied now is all there is. Every bucket for itself."""
    for number in unsynced(sight):
        return actions.Copy(sight.register.authority, number)
    return None


def unsynced(sight: Sight) -> Iterator[int]:
    """Buckets whose copy in the direction of the flip is not stamped yet."""
    for number, bucket in enumerate(sight.buckets):
        synced = bucket.synced if sight.register.authority is Role.ORIGIN else number in sight.origin.synced
        if not synced:
            yield number


FLIP: tuple[Rule, ...] = (flip_needs_both, wait_for_original_bots, fence, drain, copy)


def open_missing(sight: Sight, *, required_only: bool = False) -> Action | None:
    """Admit `to` wherever it is required, and where it is a courtesy if the store answers."""
    to = sight.register.to
    mode = MODES[to]
    if Role.ORIGIN in mode.required and sight.origin.reachable and to not in sight.origin.modes:
        return actions.Open(Role.ORIGIN, to)
    for number, bucket in enumerate(sight.buckets):
        if sight.up(number) and to not in bucket.modes and Role.TARGET in (mode.required if required_only else mode.roles):
            return actions.Open(Role.TARGET, to, number)
    return None


def open_door(sight: Sight, wish: Wish) -> Action | None:
    """Both modes are admitted while the fleet rolls."""
    mode = MODES[sight.register.to]
    shut = any(mode.name not in bucket.modes for bucket in sight.buckets)
    if Role.TARGET in mode.required and not sight.target_ok and shut and not never_opened(sight):
        return actions.Wait("RedisUnavailable", "the target store must be reachable and open before bidders may rely on it; bring it back")
    if Role.ORIGIN in mode.required and not sight.origin.reachable:
        return actions.Wait("SQLiteUnavailable", "the origin store must be reachable before bidders may rely on it; bring its agent back")
    return open_missing(sight)


def never_opened(sight: Sight) -> bool:
    """Whether the mode that is left was admitted by nobody yet: it rests on the target alone, which has not got the authority.

    Then the step towards it was turned round early: the fleet never left, and the way back needs no target.
    """
    return sight.register.authority is Role.ORIGIN and sight.register.source in TARGET_ONLY


def roll(sight: Sight, wish: Wish) -> Action | None:
    """Let the bidders change over, and wait for every one that is still listed."""
    if action := roll_template(sight):
        return action
    late = sight.fleet.modes - {sight.register.to} - original_bots_beside(sight.register.to)
    if late == {LEGACY}:
        return actions.Wait("LegacyPodsRunning", _ORIGINALS)
    if late:
        return actions.Wait("Rollout", f"bidders in mode {', '.join(sorted(late))} are still listed; they end or change over by themselves")
    return None


def original_bots_beside(mode: str) -> frozenset[str]:
    """Original bots share the origin with every mode that rests on it, and need not change over."""
    return frozenset({LEGACY}) if Role.ORIGIN in MODES[mode].required else frozenset()


def roll_template(sight: Sight) -> Action | None:
    """New bidders start in `to`."""
    return actions.Roll(sight.register.to) if sight.fleet.template != sight.register.to else None


def close_door(sight: Sight, wish: Wish) -> Action | None:
    """The mode left behind is admitted no more, in the store that both modes share; the other store is not needed."""
    register = sight.register
    if register.settled:
        return None
    if max(LADDER.index(register.source), LADDER.index(register.to)) <= LADDER.index("strict"):
        return close_in_origin(sight)
    for number, bucket in enumerate(sight.buckets):
        if sight.up(number) and register.source in bucket.modes:
            return actions.Close(Role.TARGET, register.source, number)
        if not sight.up(number) and not never_opened(sight):
            return actions.Wait("RedisUnavailable", "the target store must be reachable to close the mode left behind; bring it back")
    return None


def close_in_origin(sight: Sight) -> Action | None:
    """Close the mode left behind in the origin."""
    if not sight.origin.reachable:
        return actions.Wait("SQLiteUnavailable", "the origin store must be reachable to close the mode left behind; bring its agent back")
    return actions.Close(Role.ORIGIN, sight.register.source) if sight.register.source in sight.origin.modes else None


RULES: tuple[Rule, ...] = (
    refuse_strangers,
    follow_generation,
    recover,
    halt_on_loss,
    keep_seals,
    wait_sealed,
    initialise_file,
    adopt_file,
    adopt_in_buckets,
    raise_watermarks,
    admit_original_bots,
    rest_or_begin,
    turn_round,
    flip_authority,
    open_door,
    roll,
    close_door,
)

_ORIGINALS = "original bots are still running; scale them to zero"
_NOBODY_BIDS = "the fleet is where it should be, but the {store} store that it rests on does not answer: nobody bids until it is back"
_LOSS = (
    "bucket {number} of the target store came back without everything it had acknowledged, while it alone held the markers: "
    "bids may have been forgotten. Bring back the copy that has them; or accept the loss by naming {nonce}: "
    "then no posting created before now is ever bid on again, and the fleet goes on with newer ones"
)
_FILE_LOSS = (
    "the origin file is {found}, not {known}, while it alone held the markers: bids may have been forgotten. "
    "Bring the file back; nothing is bid on until then"
)
_OUTDATED = (
    "a store was written by a controller whose register is newer than this one: another controller is at work, or an older copy "
    "of the register was put back. Bring the newest register back; if it is lost for certain, move this one away and rebuild it"
)
_AHEAD = (
    "bucket {number} of the target store runs as incarnation {found}, which this register has never admitted: another controller is at "
    "work, or an older copy of the register was put back. Bring the newest register back; if it is lost for certain, move this one "
    "away and rebuild it"
)
_STRANGER = (
    "the {store} store belongs to {owner!r}, not to {mine!r}: its URL or prefix points at another fleet; correct it, nothing was changed"
)
_EVICTS = (
    "the target store may evict keys when its memory is full, and an evicted lock is two bids; "
    "set `maxmemory-policy noeviction` on the server (no step was begun)"
)
_NOT_DURABLE = (
    "the target store may lose acknowledged writes when it crashes (appendonly yes and appendfsync always are needed), "
    "and is about to hold the only markers; make it durable, or accept it explicitly"
)
