"""Controllers: what is decided is carried out as one conditional write, at once or much later by another controller."""

from __future__ import annotations

from migration_model import upkeep
from migration_model.bidders import Successors, acknowledged
from migration_model.epochs import renumbered
from migration_model.registers import rewritten
from migration_model.scenario import Scenario
from migration_model.sighting import choices, options_of, view_of
from migration_model.world import Bucket, File, Known, Pending, World, put_bucket

from bidlock.migration import actions
from bidlock.migration.actions import Action, RegisterWrite
from bidlock.migration.sight import ORIGIN_ONLY, TARGET_ONLY
from bidlock.modes import Role

NO_MODES: frozenset[str] = frozenset()


class Controllers:
    """The controllers' successors under one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rules = scenario.rules

    def successors(self, world: World) -> Successors:
        """The controller acts on what it sees; another one hangs with a decision, or carries out an old one."""
        for action, wishes, offline in choices(view_of(world), options_of(self._scenario, world)):
            done = self.act(world, action)
            if done is not None:
                yield ("the controller", action, wishes, offline), done
            yield from self._hangs(world, action)
        if world.pending is not None:
            yield from self._wakes(world, world.pending)

    def act(self, world: World, action: Action) -> World | None:
        """Carry out what was decided just now."""
        if isinstance(action, actions.Copy) and world.known is not None:
            seen = self._seen(world, action)
            done = self._copy_rows(world, action, seen)
            return self._stamp(done, action, world.known, seen) if done is not None else None
        return self._written(world, action, world.known)

    def _hangs(self, world: World, action: Action) -> Successors:
        second = self._scenario.second
        if not second or world.pending is not None or world.known is None or isinstance(action, actions.Roll):
            return
        if self._scenario.late and type(action).__name__ not in self._scenario.late:
            return
        if second == "idle" and any(world.attempts) and not isinstance(action, actions.Copy):
            return
        seen = self._seen(world, action) if isinstance(action, actions.Copy) else ""
        if second == "any" or not any(world.attempts):
            yield ("another controller decides", action), world._replace(pending=Pending(action, world.known, seen))
        if isinstance(action, actions.Copy):
            done = self._copy_rows(world, action, seen)
            if done is not None:
                label = ("another controller copies, but has not stamped it", action)
                yield label, done._replace(pending=Pending(action, world.known, seen, copied=True))

    def _wakes(self, world: World, pending: Pending) -> Successors:
        """The late controller goes on where it was; a register that was written since refuses it."""
        action, alone = pending.action, world._replace(pending=None)
        if isinstance(action, actions.Copy):
            if pending.copied:
                done = self._stamp(alone, action, pending.known, pending.seen)
            else:
                copied = self._copy_rows(alone, action, pending.seen)
                done = copied and copied._replace(pending=pending._replace(copied=True))
        else:
            done = self._written(alone, action, pending.known)  # type: ignore[arg-type]  # an action, kept as an object
        yield ("the late controller", action), renumbered(done if done is not None else alone)

    def _written(self, world: World, action: Action, known: Known | None) -> World | None:
        if isinstance(action, RegisterWrite):
            return self._write_register(world, action, known)
        if known is None:
            return None
        if isinstance(action, actions.Roll):
            return world._replace(fleet=world.fleet._replace(template=action.mode)) if world.fleet else None
        if isinstance(action, actions.Initialise):
            file = upkeep.constituted(world.files[0], known)
            return world._replace(files=(file,)) if file is not None else None
        if isinstance(action, actions.Fence | actions.Open | actions.Close | actions.RaiseWatermark):
            return self._write_either(world, action, known)
        return self._write_bucket(world, action, known)

    def _write_register(self, world: World, action: RegisterWrite, known: Known | None) -> World:
        """One conditional write: it voids what another controller decided to write there."""
        past = world.past
        if isinstance(action, actions.Sealing):
            past = past._replace(seals=past.seals + 1)
        seal = f"seal{past.seals if self._rules.seal_is_fresh else 0}"
        based_on = known if self._rules.register_compares else world.known
        new = rewritten(based_on, action, seal)
        pending = world.pending
        if pending is not None and isinstance(pending.action, RegisterWrite) and self._rules.register_compares:
            pending = None
        world = world._replace(known=new, past=past, pending=pending)
        return renumbered(_unsynced(world)) if known is None or new.epoch != known.epoch else world

    def _write_either(self, world: World, action: Action, known: Known) -> World | None:
        assert isinstance(action, actions.Fence | actions.Open | actions.Close | actions.RaiseWatermark)
        origin = action.role is Role.ORIGIN
        store: File | Bucket = world.files[0] if origin else world.buckets[action.bucket]
        if isinstance(action, actions.Fence):
            after = upkeep.window(store, store.modes - (ORIGIN_ONLY if origin else TARGET_ONLY), known.epoch, self._rules)
        elif isinstance(action, actions.Open):
            after = upkeep.widened(store, action.mode, known.epoch, self._rules)
        elif isinstance(action, actions.Close):
            after = upkeep.window(store, store.modes - {action.mode}, known.epoch, self._rules)
        else:
            after = upkeep.raised(store, known.watermark)
        if after is None:
            return None
        if isinstance(after, File):
            return world._replace(files=(after,))
        closing = isinstance(action, actions.Fence | actions.Close)
        return put_bucket(world, action.bucket, _timed(after, action.bucket, "leases") if closing else after)

    def _write_bucket(self, world: World, action: Action, known: Known) -> World | None:
        timers: tuple[str, ...] = ()
        after: Bucket | None = None
        past, rules = world.past, self._rules
        if isinstance(action, actions.Plant):
            past = past._replace(plants=past.plants + 1)
            nonce = f"loss{past.plants if rules.nonce_is_fresh else 1}"
            after = upkeep.planted(world.buckets[action.bucket], nonce, 2 * past.faults)
        elif isinstance(action, actions.Bless):
            remembered = known.buckets[action.bucket]
            blessing = upkeep.Blessing(action.nonce, remembered.incarnation, action.modes, action.seal, self._scenario.tokens)
            after = upkeep.blessed(world.buckets[action.bucket], blessing, known, rules)
            timers = ("leases",) if action.kept else ("leases", "lost leases")
        elif isinstance(action, actions.Adopt):
            after = upkeep.adopted(world.buckets[action.bucket], known.domain, known.epoch, rules)
            timers = ("leases",)
        elif isinstance(action, actions.Seal):
            after = upkeep.sealed(world.buckets[action.bucket], action.nonce, known.epoch, rules)
            timers = ("leases",)
        elif isinstance(action, actions.Reopen):
            after = upkeep.reopened(world.buckets[action.bucket], action.nonce, action.modes, known.epoch, rules)
        if after is None:
            return None
        assert isinstance(action, actions.Plant | actions.Bless | actions.Adopt | actions.Seal | actions.Reopen)
        return put_bucket(world._replace(past=past), action.bucket, _timed(after, action.bucket, *timers))

    def _seen(self, world: World, action: actions.Copy) -> str:
        return upkeep.identity(world.buckets[action.bucket] if action.source is Role.ORIGIN else world.files[0])

    def _copy_rows(self, world: World, action: actions.Copy, seen: str) -> World | None:
        file, bucket = world.files[0], world.buckets[action.bucket]
        if action.source is Role.ORIGIN:
            into = upkeep.filled(bucket, file if action.bucket == 0 else bucket, seen, self._rules)
            return put_bucket(world, action.bucket, into) if into is not None else None
        filled = upkeep.filled(file, bucket, seen, self._rules)
        return world._replace(files=(filled,)) if filled is not None else None

    def _stamp(self, world: World, action: actions.Copy, known: Known, seen: str) -> World | None:
        file, bucket = world.files[0], world.buckets[action.bucket]
        now = world.known is not None and world.known.epoch == known.epoch
        if action.source is Role.ORIGIN:
            into = upkeep.stamped(bucket, file, known.epoch, seen, self._rules)
            if into is None:
                return None
            done = put_bucket(world, action.bucket, into._replace(synced=now))
            return acknowledged(done, self._scenario) if self._rules.acknowledge_copy else done
        filled = upkeep.stamped(file, bucket, known.epoch, seen, self._rules)
        if filled is None:
            return None
        numbers = frozenset({action.bucket}) if self._rules.stamp_per_bucket else frozenset(range(len(world.buckets)))
        return world._replace(files=(filled._replace(synced=filled.synced | numbers if now else NO_BUCKETS),))


NO_BUCKETS: frozenset[int] = frozenset()


def _unsynced(world: World) -> World:
    """A stamp belongs to an epoch."""
    if not any(file.synced for file in world.files) and not any(bucket.synced for bucket in world.buckets):
        return world
    files = tuple([file._replace(synced=NO_BUCKETS) for file in world.files])
    return world._replace(files=files, buckets=tuple([bucket._replace(synced=False) for bucket in world.buckets]))


def _timed(bucket: Bucket, number: int, *timers: str) -> Bucket:
    """Timers of a bucket whose postings are followed are seen from its leases."""
    return bucket._replace(settling=bucket.settling | set(timers)) if number else bucket
