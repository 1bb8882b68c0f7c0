"""What nobody decides: leases run out, Redis restarts or is wiped, files are replaced, a register is lost, postings appear."""

from __future__ import annotations

from migration_model.bidders import Successors, crashed
from migration_model.scenario import Scenario
from migration_model.scripts import LEGACY
from migration_model.upkeep import Store
from migration_model.world import (
    BELIEVED,
    FREE,
    LAPSED,
    NONE,
    ORPHAN,
    STRETCHED,
    Attempt,
    Bucket,
    Fleet,
    World,
    durable_part,
    file_of,
    put_attempt,
    put_bucket,
    put_file,
)

from bidlock.modes import MODES, Role


def time_passes(world: World, scenario: Scenario) -> Successors:
    """Any lease may run out at any time, in true time; its row goes with it."""
    for slot, attempt in enumerate(world.attempts):
        if attempt is not None:
            yield from _leases_run_out(world, slot, attempt)
            if not scenario.rules.renew_checks_mode:
                yield from _renewed_in_vain(world, slot, attempt)
            if not scenario.rules.acknowledge_renew and world.disk is not None and world.disk.holder == slot:
                yield ("renews, unacknowledged", slot, attempt.mode), world._replace(disk=world.disk._replace(holder=FREE))
            if attempt.heir and not scenario.rules.heir_sets_ttl and attempt.target and world.buckets[0].holder == slot:
                gone = put_bucket(world, 0, world.buckets[0]._replace(holder=FREE))
                yield ("the row's old time runs out", slot, attempt.mode), gone
    if world.buckets[0].holder == ORPHAN:
        yield ("a row nobody has runs out", "Redis"), put_bucket(world, 0, world.buckets[0]._replace(holder=FREE))
    for number, file in enumerate(world.files):
        if file.holder == ORPHAN:
            yield ("a row nobody has runs out", "SQLite"), put_file(world, number, file._replace(holder=FREE))
    if not scenario.rules.markers_stay:
        yield from _markers_expire(world)


def _leases_run_out(world: World, slot: int, attempt: Attempt) -> Successors:
    file, bucket = file_of(world, slot), world.buckets[0]
    if attempt.origin or file.holder == slot:
        done = put_attempt(world, slot, attempt._replace(origin=LAPSED))
        yield ("lease runs out in SQLite", slot, attempt.mode), put_file(done, slot, _without(file, slot))
    if attempt.target or bucket.holder == slot:
        done = put_attempt(world, slot, attempt._replace(target=LAPSED))
        done = put_bucket(done, 0, _without(bucket, slot))
        if done.disk is not None:
            done = done._replace(disk=_without(done.disk, slot))
        if done.backup is not None:
            done = done._replace(backup=_without(done.backup, slot))
        yield ("lease runs out in Redis", slot, attempt.mode), done


def _without(store: Store, slot: int) -> Store:
    return store._replace(holder=FREE) if store.holder == slot else store


def _renewed_in_vain(world: World, slot: int, attempt: Attempt) -> Successors:
    """Only a renew that ignores the window can make a lease outlive the drain."""
    bucket = world.buckets[0]
    if attempt.target == BELIEVED and bucket.holder == slot and attempt.mode not in bucket.modes:
        yield ("renews in a closed mode", slot, attempt.mode), put_attempt(world, slot, attempt._replace(target=STRETCHED))


def _markers_expire(world: World) -> Successors:
    if world.buckets[0].marker:
        yield ("the marker expires", "Redis"), put_bucket(world, 0, world.buckets[0]._replace(marker=NONE))
    if world.files[0].marker:
        yield ("the marker expires", "SQLite"), put_file(world, 0, world.files[0]._replace(marker=NONE))


def disk_catches_up(world: World) -> Successors:
    """The disk, or the replica that will be promoted, has what the server has by now."""
    if world.disk is not None:
        now = durable_part(world.buckets[0])
        if now != world.disk:
            yield ("the disk catches up",), world._replace(disk=now)


def faults(world: World, scenario: Scenario) -> Successors:
    """Whatever may break, as often as the scenario allows."""
    yield from _backups(world, scenario)
    if world.past.faults >= scenario.faults:
        return
    world = world._replace(past=world.past._replace(faults=world.past.faults + 1))
    if scenario.restarts and world.disk is not None:
        back = world.disk._replace(settling=frozenset())
        yield ("Redis restarts or fails over",), _replaced_server(world, back)
    if scenario.wipes:
        running = world.buckets[0].running
        yield ("Redis is wiped",), _replaced_server(world, wiped(world.buckets[0], running=running))
    if scenario.older_copy and world.backup is not None and world.known is not None:
        recorded = world.known.buckets[0].counter == world.buckets[0].counter and world.buckets[0].running
        if recorded or scenario.older_copy == "unrecorded":
            yield ("an older copy of Redis comes back",), _replaced_server(world, world.backup)
    if scenario.two_servers and world.backup is None:
        empty = wiped(world.buckets[0], running=False)
        yield ("another server, empty, answers for Redis",), _replaced_server(world._replace(backup=world.buckets[0]), empty)
    if world.backup is not None and (scenario.two_servers == "any" or (scenario.two_servers and _rests_on_sqlite(world))):
        yield ("the server of before answers for Redis",), _replaced_server(world._replace(backup=None), world.backup)
    if scenario.replaced_file and world.known is not None and world.known.authority is Role.TARGET:
        yield ("the SQLite file is replaced",), _replaced_file(world)
    if scenario.lost_register and world.known is not None:
        yield ("the register is lost",), _lost_register(world)
    yield from _second_bucket_faults(world, scenario)


def wiped(bucket: Bucket, *, running: bool) -> Bucket:
    """Everything is gone; the server process may be the same."""
    return Bucket(initialised=False, domain="", running=running, settling=bucket.settling)


def _replaced_server(world: World, bucket: Bucket) -> World:
    done = put_bucket(world, 0, bucket)
    return done._replace(disk=durable_part(bucket)) if done.disk is not None else done


def _rests_on_sqlite(world: World) -> bool:
    return world.known is not None and world.known.authority is Role.ORIGIN


def _replaced_file(world: World) -> World:
    """Running attempts that have the old file open keep it."""
    attempts = tuple(
        attempt._replace(old_file=True) if attempt and Role.ORIGIN in MODES[attempt.mode].roles else attempt for attempt in world.attempts
    )
    fresh = world.files[0]._replace(
        holder=FREE, counter=0, marker=NONE, modes=frozenset(), synced=frozenset(), domain="file2", initialised=False, watermark=0, epoch=0
    )
    return world._replace(attempts=attempts, files=(fresh,))


def _lost_register(world: World) -> World:
    """Pending writes of the register go with it; pending writes of stores do not."""
    files = tuple([file._replace(synced=frozenset()) for file in world.files])
    buckets = tuple([bucket._replace(synced=False) for bucket in world.buckets])
    return world._replace(known=None, files=files, buckets=buckets)


def _backups(world: World, scenario: Scenario) -> Successors:
    """A copy is made; the register notes how far Redis counted."""
    bucket = world.buckets[0]
    if not scenario.older_copy or not bucket.running or world.known is None:
        return
    if world.backup is None:
        yield ("a copy of Redis is made",), world._replace(backup=durable_part(bucket))
    remembered = world.known.buckets[0]
    if remembered.counter != bucket.counter:
        known = world.known._replace(buckets=(remembered._replace(counter=bucket.counter), *world.known.buckets[1:]))
        yield ("the register notes Redis' counter",), world._replace(known=known)


def _second_bucket_faults(world: World, scenario: Scenario) -> Successors:
    """The other bucket's postings are not followed; what the controller sees of it is."""
    if len(world.buckets) < 2:
        return
    other = world.buckets[1]
    if scenario.restarts:
        yield ("the other bucket restarts",), put_bucket(world, 1, other._replace(running=False, planted=None, synced=False))
    if scenario.wipes:
        yield ("the other bucket is wiped",), put_bucket(world, 1, wiped(other, running=other.running))


def second_bucket_settles(world: World) -> Successors:
    """Its leases run out, too; only then a timer that started with the last closing means something."""
    for timer in sorted(world.buckets[1].settling) if len(world.buckets) > 1 else ():
        settled = world.buckets[1]._replace(settling=world.buckets[1].settling - {timer})
        yield ("in the other bucket", timer), put_bucket(world, 1, settled)


def people(world: World, scenario: Scenario) -> Successors:
    """A posting is created; a human accepts a loss; original bots are scaled to zero; a listed bidder is replaced."""
    past = world.past
    if not past.posted:
        stamp = 2 * past.faults + (1 if not past.faults or world.buckets[0].planted or world.buckets[0].running else -1)
        yield ("the posting is created", stamp), world._replace(past=past._replace(posted=stamp))
    planted = world.buckets[0].planted
    if scenario.accepts and planted and planted[0] != past.accepted and world.known and world.known.authority is Role.TARGET:
        yield ("a human accepts the loss", planted[0]), world._replace(past=past._replace(accepted=planted[0]))
    if past.bots:
        yield ("the original bots are scaled to zero",), _without_bots(world, scenario)
    if world.fleet is not None:
        yield from _fleet_turns_over(world, world.fleet)


def _without_bots(world: World, scenario: Scenario) -> World:
    """Bare bots must be gone for certain; behind the trigger fence they may be zombies."""
    if scenario.bots == "bare":
        for slot, attempt in enumerate(world.attempts):
            if attempt and attempt.mode == LEGACY:
                world = crashed(world, slot)
    return world._replace(past=world.past._replace(bots=False))


def _fleet_turns_over(world: World, fleet: Fleet) -> Successors:
    for slot, mode in enumerate(fleet.modes):
        if mode != fleet.template:
            modes = (*fleet.modes[:slot], fleet.template, *fleet.modes[slot + 1 :])
            done = crashed(world, slot) if world.attempts[slot] else world
            yield ("a bidder is replaced", slot, mode, fleet.template), done._replace(fleet=fleet._replace(modes=modes))
