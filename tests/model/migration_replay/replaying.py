"""A run of the model on real stores, step by step: same answers, same state, or a disagreement that tells the story."""

from __future__ import annotations

import functools
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from migration_model.sighting import view_of
from migration_model.story import changes, told
from migration_model.world import World, durable_part
from migration_replay.bidding import OK, Bidding, now_ms
from migration_replay.comparing import Real, differences
from migration_replay.controlling import Controlling
from migration_replay.names import Names
from migration_replay.probing import probes
from migration_replay.stage import Stage, insisted, staged
from migration_replay.traces import Step, Trace

from bidlock.backend import Answer
from bidlock.migration.sight import Sight
from bidlock.modes import Role
from bidlock_redis.testing.servers import Server

PROBED = 3
"""How many questions are put to the stores after each step."""

ANSWERED = "OK"


class Disagreement(AssertionError):
    """Model and stores disagree after a step."""


class Replay:
    """One run on one stage."""

    def __init__(self, trace: Trace, stage: Stage, domain: str) -> None:
        self._trace = trace
        self._stage = stage
        self._names = Names()
        self._bidding = Bidding(stage)
        self._controlling = Controlling(trace.scenario, stage, self._names, domain)
        self._rng = random.Random(trace.seed)
        self._done: list[Step] = []
        self._domain = domain
        self.probes = 0

    async def play(self) -> None:
        """Every step, and a comparison after each.

        Raises:
            Disagreement: with the run so far.
        """
        await self._compare(self._trace.scenario.initial())
        for step in self._trace.steps:
            self._done.append(step)
            answer = await self._do(step)
            if answer != ANSWERED:
                raise self._disagreement(f"the model goes on, the store answers {answer}")
            self._bury(step)
            self._note_copies(step)
            await self._compare(step.after)
            await self._probe(step.after)

    async def _do(self, step: Step) -> str:
        name, *rest = step.label
        if name in CONTROLLERS:
            return await CONTROLLERS[str(name)](self._controlling, step)
        if name in HAPPENINGS:
            return await HAPPENINGS[str(name)](self, step)
        answer = await STEPS[str(name)](self, step, int(str(rest[0])), str(rest[1]))
        return answer.verdict.value

    # -- attempts

    async def leases(self, step: Step, slot: int, mode: str, role: Role) -> Answer:
        """An attempt, perhaps a new one, acquires in one store."""
        player = self._bidding.enter(slot, mode, self._domain)
        answer = await self._bidding.lease(player, role)
        if step.after.attempts[slot] is None:
            self._bidding.leave(slot)
        return answer

    async def goes_on(self, step: Step, slot: int, mode: str) -> Answer:
        """Without Redis."""
        self._bidding.enter(slot, mode, self._domain)
        return OK

    async def releases(self, step: Step, slot: int, mode: str) -> Answer:
        """It ends in order."""
        if slot in self._bidding.players:
            await self._bidding.release(slot)
        return OK

    async def bids(self, step: Step, slot: int, mode: str) -> Answer:
        """It bids, and ends when there is nothing more to do."""
        return await self.releases(step, slot, mode) if step.after.attempts[slot] is None else OK

    async def marks(self, step: Step, slot: int, mode: str) -> Answer:
        """It leaves a marker in the other store, and ends."""
        answer = await self._bidding.mark(self._bidding.players[slot])
        await self._bidding.release(slot)
        return answer

    async def crashes(self, step: Step, slot: int, mode: str) -> Answer:
        """Its process is gone."""
        self._bidding.leave(slot)
        return OK

    async def passes_on(self, step: Step, slot: int, mode: str) -> Answer:
        """An heir comes in its place."""
        heir = step.after.attempts[slot]
        assert heir is not None
        self._bidding.pass_on(slot, heir.mode)
        return OK

    async def confirms(self, step: Step, slot: int, mode: str) -> Answer:
        """It asks whether the lease in Redis still is its own."""
        return await self._bidding.confirm(self._bidding.players[slot])

    async def claims(self, step: Step, slot: int, mode: str, role: Role) -> Answer:
        """It claims in one store."""
        return await self._bidding.claim(self._bidding.players[slot], role)

    async def runs_out(self, step: Step, slot: int, mode: str, role: Role) -> Answer:
        """Its time is over there."""
        nonces = self._bidding.players[slot].nonces if slot in self._bidding.players else set()
        (self._stage.expire_in_file if role is Role.ORIGIN else self._stage.expire_in_redis)(nonces)
        return OK

    # -- what happens

    async def happens(self, what: Callable[[Stage], Awaitable[None] | None]) -> str:
        """To the stores."""
        done = what(self._stage)
        if done is not None:
            await done
        return ANSWERED

    async def posting_created(self, step: Step) -> str:
        """It has a stamp from now on."""
        self._bidding.posted_at_ms = now_ms()
        return ANSWERED

    async def register_lost(self, step: Step) -> str:
        """A human deletes it."""
        self._controlling.lose()
        return ANSWERED

    async def counter_noted(self, step: Step) -> str:
        """In the register."""
        self._controlling.note_counter((await self._controlling.look()).buckets[0].counter)
        return ANSWERED

    # -- comparing

    def _bury(self, step: Step) -> None:
        """Whoever is no more in the model has died here, too."""
        for slot, attempt in enumerate(step.after.attempts):
            if attempt is None:
                self._bidding.leave(slot)

    def _note_copies(self, step: Step) -> None:
        """What is on Redis' disk, or on its replica, by now."""
        if step.after.disk is not None and step.after.disk == durable_part(step.after.buckets[0]):
            self._stage.note_disk(step.after)

    async def _look(self) -> Real:
        file, redis, posting = self._stage.file, self._stage.redis, self._stage.posting
        inspections = {
            Role.ORIGIN: await insisted(lambda: file.inspect(posting)),
            Role.TARGET: await insisted(lambda: redis.inspect(posting)),
        }
        return Real(await self._controlling.look(), self._controlling.register, inspections, self._bidding.players)

    async def _compare(self, world: World) -> None:
        real = await self._look()
        if self._let_time_pass(world, real.sight):
            real = await self._look()
        self._domain = real.sight.origin.domain
        self._names.learn(world, real.sight)
        found = list(differences(world, real, self._names, tokens=self._trace.scenario.tokens))
        if found:
            raise self._disagreement("; ".join(map(str, found)))

    def _let_time_pass(self, world: World, sight: Sight) -> bool:
        """A timer of the model is over when nobody's lease is in its way; then it is over here, too. Never before."""
        view, passed = view_of(world), False
        for number, bucket in enumerate(sight.buckets):
            drained = view.bucket_drained[number] and not bucket.drained
            whole = view.whole[number] and not bucket.whole
            if bucket.initialised and (drained or whole):
                self._stage.run_timers_down(number, drained=drained, whole=whole)
                passed = True
        return passed

    async def _probe(self, world: World) -> None:
        possible = list(probes(self._trace.scenario, world, self._bidding, self._domain, self._rng))
        for probe in self._rng.sample(possible, min(PROBED, len(possible))):
            answer = await self._bidding.ask(probe.role, probe.question)
            self.probes += 1
            if answer.verdict.value != probe.expected:
                where = "SQLite" if probe.role is Role.ORIGIN else "Redis"
                raise self._disagreement(f"{probe.name} in {where}: the model says {probe.expected}, the store {answer.verdict.value}")

    def _disagreement(self, what: str) -> Disagreement:
        trace = self._trace
        lines = [f"{trace.scenario.name}, seed {trace.seed}, step {len(self._done)}: {what}"]
        for number, step in enumerate(self._done, 1):
            lines.append(f"{number:3} {told(step.label):<66}{'; '.join(changes(step.before, step.after))}".rstrip())
        return Disagreement("\n".join(lines))


async def _acts(controlling: Controlling, step: Step) -> str:
    return await controlling.act(step.label[1], step.after)


async def _hangs(controlling: Controlling, step: Step) -> str:
    return await controlling.hang(step.label[1], copies=False)


async def _hangs_in_copy(controlling: Controlling, step: Step) -> str:
    return await controlling.hang(step.label[1], copies=True)


async def _wakes(controlling: Controlling, step: Step) -> str:
    return await controlling.wake(step.before, step.after)


CONTROLLERS = {
    "the controller": _acts,
    "another controller decides": _hangs,
    "another controller copies, but has not stamped it": _hangs_in_copy,
    "the late controller": _wakes,
}

STEPS: dict[str, Callable[[Replay, Step, int, str], Awaitable[Answer]]] = {
    "leases Redis": functools.partial(Replay.leases, role=Role.TARGET),
    "leases Redis, but never hears of it": functools.partial(Replay.leases, role=Role.TARGET),
    "leases SQLite": functools.partial(Replay.leases, role=Role.ORIGIN),
    "goes on without Redis": Replay.goes_on,
    "confirms Redis": Replay.confirms,
    "claims in Redis": functools.partial(Replay.claims, role=Role.TARGET),
    "claims in Redis, but does not hear of it": functools.partial(Replay.claims, role=Role.TARGET),
    "claims in SQLite": functools.partial(Replay.claims, role=Role.ORIGIN),
    "bids": Replay.bids,
    "leaves a marker in the other store": Replay.marks,
    "gives up": Replay.releases,
    "stops": Replay.releases,
    "crashes": Replay.crashes,
    "passes its lease on": Replay.passes_on,
    "lease runs out in SQLite": functools.partial(Replay.runs_out, role=Role.ORIGIN),
    "lease runs out in Redis": functools.partial(Replay.runs_out, role=Role.TARGET),
}


def _to_stores(what: Callable[[Stage, Step], Awaitable[None] | None]) -> Callable[[Replay, Step], Awaitable[str]]:
    return lambda replay, step: replay.happens(lambda stage: what(stage, step))


HAPPENINGS: dict[str, Callable[[Replay, Step], Awaitable[str]]] = {
    "a row nobody has runs out": _to_stores(
        lambda stage, step: stage.expire_in_redis() if step.label[1] == "Redis" else stage.expire_in_file()
    ),
    "the disk catches up": _to_stores(lambda stage, step: None),
    "a copy of Redis is made": _to_stores(lambda stage, step: stage.note_backup()),
    "the register notes Redis' counter": Replay.counter_noted,
    "Redis restarts or fails over": _to_stores(lambda stage, step: stage.restart(step.before)),
    "Redis is wiped": _to_stores(lambda stage, step: stage.wipe()),
    "an older copy of Redis comes back": _to_stores(lambda stage, step: stage.bring_back_older_copy()),
    "the SQLite file is replaced": _to_stores(lambda stage, step: stage.replace_file()),
    "the register is lost": Replay.register_lost,
    "the other bucket restarts": _to_stores(lambda stage, step: stage.restart_other_bucket()),
    "the other bucket is wiped": _to_stores(lambda stage, step: stage.wipe_other_bucket()),
    "in the other bucket": _to_stores(lambda stage, step: None),
    "the posting is created": Replay.posting_created,
    "a human accepts the loss": _to_stores(lambda stage, step: None),
    "the original bots are scaled to zero": _to_stores(lambda stage, step: None),
}


async def replay(run: Trace, server: Server, folder: Path) -> int:
    """Play a run on fresh stores; how many questions were asked beside its steps.

    Raises:
        Disagreement: model and stores disagree.
    """
    async with staged(run.scenario, server, folder) as stage:
        domain = (await stage.stores.origin.survey(0)).domain
        played = Replay(run, stage, domain)
        await played.play()
        return played.probes
