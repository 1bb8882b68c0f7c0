"""What attempts do, step by step. Their steps are read from the project's mode table.

A refused step has no successor: an attempt may give up, crash, or lose its leases at any moment anyway, and may as well
try the step again later.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from migration_model import scripts
from migration_model.scenario import Scenario
from migration_model.scripts import LEGACY, OK, Asker
from migration_model.upkeep import Store
from migration_model.world import (
    BELIEVED,
    FREE,
    MINE,
    ORPHAN,
    SOMEBODY,
    Attempt,
    World,
    durable_part,
    file_of,
    put_attempt,
    put_bucket,
    put_file,
)

from bidlock import modes as mode_table
from bidlock.modes import Mode, Role

Successors = Iterator[tuple[tuple[object, ...], World]]

BOT = Mode(LEGACY, required=(Role.ORIGIN,), claims=())
"""An original bot: it takes the bare lock, bids, releases."""


class Plan(NamedTuple):
    """A mode's steps in order, and from which on all of its leases are held."""

    mode: Mode
    steps: tuple[tuple[str, Role | None], ...]
    held: int


@functools.cache
def plan_of(name: str, marks: bool, claim_first: bool) -> Plan:
    """The plan of a mode, from the project's mode table."""
    mode = BOT if name == LEGACY else mode_table.MODES[name]
    leasing: list[tuple[str, Role | None]] = [("acquire", role) for role in mode.roles]
    leasing += [("confirm", role) for role in mode.confirms]
    claiming: list[tuple[str, Role | None]] = [("claim", role) for role in mode.claims]
    bidding: list[tuple[str, Role | None]] = [("bid", None)]
    marking = [("mark", role) for role in mode.marks] if marks else []
    ending = claiming + bidding if claim_first else bidding + claiming
    return Plan(mode, (*leasing, *ending, *marking), len(leasing))


class Bidders:
    """The attempts' successors under one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rules = scenario.rules

    def plan(self, attempt: Attempt) -> Plan:
        """The attempt's plan."""
        return plan_of(attempt.mode, self._scenario.marks, self._rules.claim_before_bid)

    def holds(self, attempt: Attempt) -> bool:
        """Whether it has every lease its mode requires, unexpired in true time, and knows it."""
        plan = self.plan(attempt)
        return attempt.step >= plan.held and all(attempt.origin if role is Role.ORIGIN else attempt.target for role in plan.mode.required)

    def successors(self, world: World) -> Successors:
        """Every step that any attempt may take now."""
        started = False
        for slot, attempt in enumerate(world.attempts):
            if attempt is not None:
                yield from self._steps(world, slot, attempt)
            elif not started or world.fleet or len(world.files) > 1:
                started = True
                yield from self._starts(world, slot)

    def _starts(self, world: World, slot: int) -> Successors:
        if not world.past.posted or not self._may_draw(world):
            return
        for name in (world.fleet.modes[slot],) if world.fleet else self._scenario.modes:
            yield from self._advance(world, slot, Attempt(name))
            if self._scenario.replaced_file and world.past.faults and Role.ORIGIN in mode_table.MODES[name].required:
                yield from self._advance(world, slot, Attempt(name, old_file=True))
        if self._scenario.bots and (world.past.bots or self._scenario.bots == "fence"):
            yield from self._advance(world, slot, Attempt(LEGACY))

    def _may_draw(self, world: World) -> bool:
        return not self._scenario.tokens or world.past.grants < self._scenario.grants

    def _steps(self, world: World, slot: int, attempt: Attempt) -> Successors:
        plan = self.plan(attempt)
        if attempt.step < len(plan.steps):
            yield from self._advance(world, slot, attempt)
        yield ("gives up" if attempt.step <= plan.held else "stops", slot, attempt.mode), self.released(world, slot)
        yield ("crashes", slot, attempt.mode), crashed(world, slot)
        if self._scenario.passes and attempt.step == plan.held and world.past.heirs < 2 and self._may_draw(world):
            yield from self._passed_on(world, slot, attempt)

    def _advance(self, world: World, slot: int, attempt: Attempt) -> Successors:
        verb, role = self.plan(attempt).steps[attempt.step]
        if verb == "acquire":
            if self._may_draw(world):
                step = self._acquire_target if role is Role.TARGET else self._acquire_origin
                yield from step(world, slot, attempt)
        elif verb == "confirm":
            yield from self._confirm(world, slot, attempt)
        elif verb == "claim":
            step = self._claim_target if role is Role.TARGET else self._claim_origin
            yield from step(world, slot, attempt)
        elif verb == "bid":
            yield from self._bid(world, slot, attempt)
        elif role is not None:
            yield from self._mark(world, slot, attempt, role)

    def _asker(self, world: World, slot: int, attempt: Attempt) -> Asker:
        """A process that has the replaced file open knows the first file's identity."""
        domain = "" if len(world.files) > 1 else "file1" if attempt.old_file else file_of(world, slot).domain
        return Asker(slot, attempt.mode, domain, attempt.heir)

    def _acquire_target(self, world: World, slot: int, attempt: Attempt) -> Successors:
        courtesy = Role.TARGET in self.plan(attempt).mode.best_effort
        asker, bucket = self._asker(world, slot, attempt), world.buckets[0]
        answer, after = scripts.acquire_bucket(bucket, asker, world.past.posted, self._rules, count=self._scenario.tokens)
        if courtesy:
            without = put_attempt(world, slot, attempt._replace(step=attempt.step + 1))
            yield from self._go_on(("goes on without Redis", slot, attempt.mode), without, slot, drawn=False)
        if answer != OK:
            return
        done = self._drawn(put_bucket(world, 0, after), new=after.counter != bucket.counter)
        yield from self._unheard_acquire(done, slot, attempt)
        token = attempt.token if attempt.heir == "across" and bucket.holder == slot else after.counter
        done = put_attempt(done, slot, attempt._replace(step=attempt.step + 1, target=BELIEVED, token=token))
        alone = not courtesy and not self.plan(attempt).mode.confirms
        if alone and self._rules.acknowledge_acquire:
            done = self._acknowledged(done)
        yield from self._go_on(("leases Redis", slot, attempt.mode), done, slot)

    def _unheard_acquire(self, done: World, slot: int, attempt: Attempt) -> Successors:
        if self._scenario.lost_replies or done.disk is not None:
            row = put_bucket(put_attempt(done, slot, None), 0, done.buckets[0]._replace(holder=ORPHAN))
            yield ("leases Redis, but never hears of it", slot, attempt.mode), row

    def _acquire_origin(self, world: World, slot: int, attempt: Attempt) -> Successors:
        if attempt.old_file:
            yield from self._acquire_old_file(world, slot, attempt)
            return
        file, asker = file_of(world, slot), self._asker(world, slot, attempt)
        if attempt.mode == LEGACY:
            answer, after = scripts.bot_acquire(file, slot, self._rules, fenced=self._scenario.bots == "fence")
        else:
            answer, after = scripts.acquire_file(file, asker, world.past.posted, attempt.token, self._rules, count=self._scenario.tokens)
        if answer == OK:
            done = self._drawn(put_file(world, slot, after), new=True)
            token = after.counter if attempt.mode != LEGACY else 0
            done = put_attempt(done, slot, attempt._replace(step=attempt.step + 1, origin=BELIEVED, token=token))
            yield from self._go_on(("leases SQLite", slot, attempt.mode), done, slot)

    def _acquire_old_file(self, world: World, slot: int, attempt: Attempt) -> Successors:
        """The replaced file, which only its own process sees: assume that it always grants; its S-only modes are closed."""
        if attempt.mode == "strict":
            token = max(1, attempt.token) if self._scenario.tokens else 0
            done = put_attempt(world, slot, attempt._replace(step=attempt.step + 1, origin=BELIEVED, token=token))
            yield from self._go_on(("leases the replaced SQLite file", slot, attempt.mode), done, slot)

    def _drawn(self, world: World, *, new: bool) -> World:
        if not (self._scenario.tokens and new):
            return world
        return world._replace(past=world.past._replace(grants=world.past.grants + 1))

    def _go_on(self, label: tuple[object, ...], world: World, slot: int, *, drawn: bool = True) -> Successors:
        """After a lease: the token counts from here on, for a mode that confirms once it is confirmed."""
        attempt = world.attempts[slot]
        assert attempt is not None
        plan = self.plan(attempt)
        if self._scenario.tokens and drawn and attempt.mode != LEGACY:
            if attempt.step == plan.held:
                world = handed_out(world, slot)
            elif attempt.step == plan.held - len(plan.mode.confirms):
                world = put_attempt(world, slot, attempt._replace(late_token=attempt.token <= world.past.token))
        if plan.mode.confirms and not self._rules.confirm_asks and attempt.step == plan.held - 1:
            yield from self._confirm(world, slot, world.attempts[slot] or attempt)
            return
        yield label, world

    def _confirm(self, world: World, slot: int, attempt: Attempt) -> Successors:
        answer, after = OK, world.buckets[0]
        if self._rules.confirm_asks:
            answer, after = scripts.confirm_bucket(after, self._asker(world, slot, attempt), attempt.token, self._rules)
        if answer != OK:
            return
        done = put_attempt(put_bucket(world, 0, after), slot, attempt._replace(step=attempt.step + 1, late_token=False))
        if self._rules.acknowledge_confirm:
            done = self._acknowledged(done)
        if self._scenario.tokens:
            highest = -1 if attempt.late_token or world.past.token < 0 else max(world.past.token, attempt.token)
            done = done._replace(past=done.past._replace(token=highest))
        yield ("confirms Redis", slot, attempt.mode), done

    def _claim_target(self, world: World, slot: int, attempt: Attempt) -> Successors:
        bucket = world.buckets[0]
        asker = self._asker(world, slot, attempt)
        answer, after = scripts.claim_bucket(bucket, asker, self._rules, count=self._scenario.tokens)
        if answer != OK:
            return
        done = put_bucket(world, 0, after)
        if self._scenario.lost_replies or world.disk is not None:
            yield ("claims in Redis, but does not hear of it", slot, attempt.mode), done
        done = put_attempt(done, slot, attempt._replace(step=attempt.step + 1))
        if self._rules.acknowledge_claim:
            done = self._acknowledged(done)
        yield ("claims in Redis", slot, attempt.mode), done

    def _claim_origin(self, world: World, slot: int, attempt: Attempt) -> Successors:
        following = attempt._replace(step=attempt.step + 1)
        if attempt.old_file:
            yield ("claims in the replaced SQLite file", slot, attempt.mode), put_attempt(world, slot, following)
            return
        answer, after = scripts.claim_file(
            file_of(world, slot), self._asker(world, slot, attempt), self._rules, count=self._scenario.tokens
        )
        if answer == OK:
            yield ("claims in SQLite", slot, attempt.mode), put_file(put_attempt(world, slot, following), slot, after)

    def _bid(self, world: World, slot: int, attempt: Attempt) -> Successors:
        if attempt.mode == LEGACY and not attempt.origin:
            return  # an original bot whose lease has run out is taken to notice it in time
        past = world.past._replace(bids=min(world.past.bids + 1, 2))
        following = attempt._replace(step=attempt.step + 1)
        done = put_attempt(world._replace(past=past), slot, following)
        if following.step == len(self.plan(attempt).steps):
            done = self.released(done, slot)
        yield ("bids", slot, attempt.mode), done

    def _mark(self, world: World, slot: int, attempt: Attempt, role: Role) -> Successors:
        """The marker in the other store, where it answers; nothing depends on it."""
        left = MINE + slot
        if role is Role.ORIGIN:
            file = file_of(world, slot)
            done = put_file(world, slot, file._replace(marker=file.marker or left))
        elif scripts.guard_bucket(world.buckets[0], self._asker(world, slot, attempt), self._rules) == OK:
            done = put_bucket(world, 0, world.buckets[0]._replace(marker=world.buckets[0].marker or left))
        else:
            return
        yield ("leaves a marker in the other store", slot, attempt.mode), self.released(done, slot)

    def _acknowledged(self, world: World) -> World:
        """The disk, or every replica, has everything up to now."""
        return acknowledged(world, self._scenario)

    def released(self, world: World, slot: int) -> World:
        """The attempt ends and releases what is its own."""
        attempt = world.attempts[slot]
        blind = not self._rules.release_checks_holder and attempt is not None and attempt.step >= self.plan(attempt).held
        return ended(world, slot, FREE, blind=blind)

    def _passed_on(self, world: World, slot: int, attempt: Attempt) -> Successors:
        """The holder leaves its rows to an heir: it believes in them no more, the heir not yet."""
        names = self._scenario.modes if self._scenario.pass_modes else (attempt.mode,)
        for name in names:
            yield from self._left_to(world, slot, attempt, Attempt(name, heir=self._scenario.passes))

    def _left_to(self, world: World, slot: int, giver: Attempt, heir: Attempt) -> Successors:
        place, world = slot, world._replace(past=world.past._replace(heirs=world.past.heirs + 1))
        giver_marker = MINE + slot  # the heir has a nonce of its own
        if not self._rules.giver_stops:
            place = next((free for free, other in enumerate(world.attempts) if other is None), slot)
        bucket, file = (
            store._replace(marker=SOMEBODY) if store.marker == giver_marker else store for store in (world.buckets[0], file_of(world, slot))
        )
        if heir.heir == "across":
            if file.holder == slot:
                file = file._replace(holder=FREE)
            if bucket.holder == slot and self._scenario.tokens:
                bucket = bucket._replace(counter=bucket.counter + self._rules.heir_gets_new_token)
                world = self._drawn(world, new=True)
            heir = heir._replace(token=bucket.counter)
        world = put_file(put_bucket(world, 0, bucket), slot, file)
        if not self._rules.heir_waits_for_answer:
            heir = heir._replace(step=self.plan(heir).held, target=BELIEVED)
        yield ("passes its lease on", slot, giver.mode), put_attempt(moved(world, slot, place), place, heir)


def acknowledged(world: World, scenario: Scenario) -> World:
    """The disk has everything, if it is durable at all."""
    if world.disk is None or not scenario.durable:
        return world
    return world._replace(disk=durable_part(world.buckets[0]))


def handed_out(world: World, slot: int) -> World:
    """The attempt's token is handed out now; whoever drew a higher one before and is not confirmed yet is late."""
    attempt = world.attempts[slot]
    assert attempt is not None
    highest = world.past.token
    if highest < 0 or attempt.token <= highest:
        return world._replace(past=world.past._replace(token=-1))
    others = tuple(
        other._replace(late_token=True) if other and number != slot and other.origin and other.token >= attempt.token else other
        for number, other in enumerate(world.attempts)
    )
    return world._replace(attempts=others, past=world.past._replace(token=attempt.token))


def crashed(world: World, slot: int) -> World:
    """The process dies; its rows stay until they expire."""
    return ended(world, slot, ORPHAN)


def ended(world: World, slot: int, holder: int, *, blind: bool = False) -> World:
    """The slot is free again; rows that named it name `holder`, its markers name nobody in particular."""

    own = MINE + slot
    files, bucket, disk, backup = world.files, world.buckets[0], world.disk, world.backup
    for number, file in enumerate(files):
        if (file.holder == slot or file.marker == own or blind) and (len(files) == 1 or number == slot):
            files = (*files[:number], _left(file, slot, holder, blind=blind), *files[number + 1 :])
    buckets = world.buckets
    if bucket.holder == slot or bucket.marker == own or blind:
        buckets = (_left(bucket, slot, holder, blind=blind), *buckets[1:])
    if disk is not None and (disk.holder == slot or disk.marker == own):
        disk = _left(disk, slot, ORPHAN)
    if backup is not None and (backup.holder == slot or backup.marker == own):
        backup = _left(backup, slot, ORPHAN)
    attempts = (*world.attempts[:slot], None, *world.attempts[slot + 1 :])
    return world._replace(attempts=attempts, files=files, buckets=buckets, disk=disk, backup=backup)


def _left(store: Store, slot: int, holder: int, *, blind: bool = False) -> Store:
    """The store after an attempt: its row names `holder`, its marker nobody in particular."""
    return store._replace(
        holder=holder if store.holder == slot or blind else store.holder,
        marker=SOMEBODY if store.marker == MINE + slot else store.marker,
    )


def moved(world: World, slot: int, place: int) -> World:
    """The rows that named a slot name another."""
    if slot == place:
        return world
    bucket, file = world.buckets[0], file_of(world, slot)
    bucket = bucket._replace(holder=place) if bucket.holder == slot else bucket
    file = file._replace(holder=place) if file.holder == slot else file
    return put_file(put_bucket(world, 0, bucket), slot, file)
