"""The controller's steps on real stores: the project's own hands, and a register that only its own code rewrites."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from migration_model.scenario import Scenario
from migration_model.world import World
from migration_replay.names import Names
from migration_replay.stage import MARGIN_MS, OWNER, TTL_MS, Stage, insisted

from bidlock.errors import BackendError
from bidlock.migration import acting, actions, rebuilding
from bidlock.migration.acting import Hands, Terms
from bidlock.migration.actions import Action, RegisterWrite
from bidlock.migration.port import Outcome
from bidlock.migration.register import BucketRegister, Register
from bidlock.migration.sight import Fleet, Sight
from bidlock.modes import Role


@dataclass(frozen=True)
class Late:
    """What another controller decided, and what it had seen then."""

    action: Action
    sight: Sight
    copied: bool = False


class Controlling:
    """The register, and what is done under it."""

    def __init__(self, scenario: Scenario, stage: Stage, names: Names, domain: str) -> None:
        known = scenario.initial().known
        assert known is not None
        buckets = (BucketRegister(),) * scenario.buckets
        self.register: Register | None = Register(known.epoch, known.source, known.to, known.authority, domain, buckets)
        self.late: Late | None = None
        self._stage = stage
        self._names = names
        self._hands = Hands(stage.stores, Terms(OWNER, TTL_MS, MARGIN_MS))

    async def look(self) -> Sight:
        """Both stores as they are; without a register, as somebody would look who wants to rebuild it."""
        register = self.register or Register(-1, "", "", Role.ORIGIN, "", (BucketRegister(),) * len(await self._buckets(-1)))
        origin = await insisted(lambda: self._stage.stores.origin.survey(register.epoch))
        return Sight(register, origin, await self._buckets(register.epoch), Fleet(register.to), OWNER)

    async def _buckets(self, epoch: int) -> tuple[object, ...]:
        for _ in range(20):
            buckets = await self._stage.stores.target.survey(epoch)
            if all(bucket.reachable for bucket in buckets):
                break
        return buckets

    async def act(self, action: Action, after: World) -> str:
        """Carry out what was decided just now."""
        sight = await self.look()
        if isinstance(action, actions.Recreate):
            rebuilt = rebuilding.rebuild(sight.origin, sight.buckets)
            if not isinstance(rebuilt, actions.Recreate):
                return f"{type(rebuilt).__name__} {rebuilt.reason}"
            self._write(acting.recreated(rebuilt), after)
            return "OK"
        return await self._carry_out(self._names.translated(action), sight, after)  # type: ignore[type-var]  # only writes are carried out

    async def hang(self, action: Action, *, copies: bool) -> str:
        """Another controller decides, copies perhaps, and then hangs."""
        translated = self._names.translated(action)  # type: ignore[type-var]  # only writes are decided late
        self.late = Late(translated, await self.look(), copies)
        return await self._copy_rows(self.late) if copies else "OK"

    async def wake(self, before: World, after: World) -> str:
        """It goes on where it was. A refusal is fine: what it did or did not do is seen in the stores."""
        assert self.late is not None
        late, self.late = self.late, None
        if isinstance(late.action, actions.Copy):
            if not late.copied and await self._copy_rows(late) == "OK":
                self.late = replace(late, copied=True) if after.pending else None
            elif late.copied:
                await self._stamp(late)
            return "OK"
        if isinstance(late.action, RegisterWrite) and before.known is None:
            return "OK"
        with contextlib.suppress(BackendError):
            await self._carry_out(late.action, late.sight, after)
        return "OK"

    def lose(self) -> None:
        """The register is gone."""
        self.register = None

    def note_counter(self, counter: int) -> None:
        """The register notes how far Redis counted."""
        assert self.register is not None
        self.register = self.register.with_bucket(0, counter=counter)

    async def _carry_out(self, action: Action, sight: Sight, after: World) -> str:
        if isinstance(action, RegisterWrite):
            self._write(acting.rewritten(action, sight.register), after)
            return "OK"
        outcome: Outcome = await insisted(lambda: self._hands.act(action, sight))  # type: ignore[arg-type]  # nothing else writes
        return outcome.value

    def _write(self, register: Register, after: World) -> None:
        self.register = register
        self._names.learn_register(after, register)
        if self.late and isinstance(self.late.action, RegisterWrite) and after.pending is None:
            self.late = None

    async def _copy_rows(self, late: Late) -> str:
        giver, taker, seen = self._ends(late)
        async for rows in giver.copy_out(late.action.bucket):  # type: ignore[union-attr]  # it is a copy
            outcome = await taker.copy_in(rows, late.action.bucket, seen)  # type: ignore[union-attr]
            if outcome is not Outcome.OK:
                return outcome.value
        return "OK"

    async def _stamp(self, late: Late) -> None:
        giver, taker, seen = self._ends(late)
        bucket = late.action.bucket  # type: ignore[union-attr]  # it is a copy
        await taker.stamp(await giver.tail(bucket), late.sight.register.epoch, bucket, seen)

    def _ends(self, late: Late):
        action, sight, stores = late.action, late.sight, self._stage.stores
        assert isinstance(action, actions.Copy)
        if action.source is Role.ORIGIN:
            return stores.origin, stores.target, str(sight.buckets[action.bucket].incarnation)
        return stores.target, stores.origin, sight.origin.domain
