"""The controller of plain machines: look, decide, act; one step at a time, from a register file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bidlock.errors import BackendError, ConfigurationError
from bidlock.migration import actions, founding, looking
from bidlock.migration.acting import Hands, Stores, Terms, rewritten
from bidlock.migration.deciding import decide
from bidlock.migration.recording import counted, record_due
from bidlock.migration.register import Register
from bidlock.migration.registerfile import Kept, RegisterFile, new_owner
from bidlock.migration.sight import Fleet, Sight
from bidlock.migration.wishes import Wish

PATIENCE = 0.05
"""Seconds between two looks while something is awaited; short, so that a restarted store is open again at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did.

    Attributes:
        action: What was decided.
        result: What became of it: a store's outcome, `OK` for the register and the fleet, or why it failed.
        sight: What was seen before.
    """

    action: actions.Action
    result: str
    sight: Sight

    @property
    def resting(self) -> bool:
        """Whether nothing will move without a human, or at all."""
        return isinstance(self.action, actions.Noop | actions.Refuse | actions.Halt)


class Controller:
    """Walks one fleet. Use it inside `RegisterFile.locked()`."""

    def __init__(self, file: RegisterFile, stores: Stores, ttl_max_ms: int, margin_ms: int, *, adoption_skew_ms: int | None = None) -> None:
        """Nothing is read yet.

        Args:
            file: The register.
            stores: The two stores, opened.
            ttl_max_ms: Longest TTL of a bidder, milliseconds.
            margin_ms: Fixed part of the safety margin, milliseconds.
            adoption_skew_ms: See `Constitution`; only a fleet that is founded asks for it.
        """
        self._file = file
        self._stores = stores
        self._ttl_max_ms = ttl_max_ms
        self._margin_ms = margin_ms
        self._adoption_skew_ms = adoption_skew_ms
        self._recorded = 0.0

    async def begin(self) -> Kept:
        """The register; founded when there is none yet. May be repeated after a crash at any point.

        Raises:
            ConfigurationError: the file or the stores do not fit; nothing was changed, the message says what to do.
            BackendError: a store did not answer.
        """
        kept = self._file.read()
        if kept is None:
            kept = Kept(new_owner(), None)
            self._write(kept)
        if kept.register is None:
            register = await founding.found(self._stores, self._terms(kept))
            kept = replace(kept, register=register, template=register.to)
            self._write(kept)
        self._file.write_mode(kept.template)
        return kept

    async def restore(self, owner: str) -> Kept:
        """Rebuild a register that was lost, from what the stores of `owner` show. Only if no other controller has it.

        Raises:
            ConfigurationError: there is a register, or the stores do not show enough.
            BackendError: a store did not answer.
        """
        kept = self._file.read()
        if kept is not None and kept.register is not None:
            raise ConfigurationError(f"{self._file.path} is a register already; move it away if it is wrong")
        register = await founding.restore(self._stores, owner)
        kept = Kept(owner, register, register.to)
        self._write(kept)
        return kept

    async def look(self, kept: Kept, register: Register) -> Sight:
        """Both stores and the fleet, now. A store that does not answer is seen as out of reach."""
        return await looking.look(self._stores, register, Fleet(kept.template), kept.owner)

    async def step(self, wish: Wish) -> Step:
        """Look, decide, and do the one thing that was decided."""
        kept = await self.begin()
        assert kept.register is not None  # noqa: S101 — begin() founded it
        sight = await self.look(kept, kept.register)
        if record_due(sight, time.monotonic() - self._recorded):
            return self._record(kept, sight)
        action = decide(sight, wish)
        return Step(action, await self._do(action, sight, kept), sight)

    async def walk(self, wish: Wish, watch: Callable[[Step], None], *, forever: bool = False) -> Step:
        """Step until the fleet rests where it is wanted, or a human is needed.

        Args:
            wish: What is wanted.
            watch: Told of each step.
            forever: Go on guarding afterwards: restarted stores are opened again, drift is mended.
        """
        while True:
            step = await self.step(wish)
            watch(step)
            if step.resting and not forever:
                return step
            if step.result != "OK" or isinstance(step.action, actions.Noop | actions.Wait | actions.Refuse | actions.Halt):
                await asyncio.sleep(PATIENCE)

    def _record(self, kept: Kept, sight: Sight) -> Step:
        """Write down how far the buckets have counted: one that counts less some day is an older copy."""
        self._write(replace(kept, register=counted(sight.register, sight)))
        self._recorded = time.monotonic()
        return Step(actions.Record(), "OK", sight)

    async def _do(self, action: actions.Action, sight: Sight, kept: Kept) -> str:
        match action:
            case actions.Noop() | actions.Wait() | actions.Refuse() | actions.Halt():
                return "OK"
            case actions.Roll(mode):
                self._write(replace(kept, template=mode))
                return "OK"
            case actions.Recreate():
                raise TypeError("a register that exists is not recreated")
            case _ if isinstance(action, actions.RegisterWrite):
                known = counted(sight.register, sight) if isinstance(action, actions.Settle) else sight.register
                self._write(replace(kept, register=rewritten(action, known)))
                return "OK"
        return await self._write_store(action, sight, kept)

    async def _write_store(self, action: actions.StoreWrite, sight: Sight, kept: Kept) -> str:
        try:
            outcome = await Hands(self._stores, self._terms(kept)).act(action, sight)
        except BackendError as error:
            return str(error)
        return outcome.value

    def _write(self, kept: Kept) -> None:
        """The register first: bidders that work in a mode which the stores do not admit only skip."""
        self._file.write(kept)
        self._file.write_mode(kept.template)

    def _terms(self, kept: Kept) -> Terms:
        return Terms(kept.owner, self._ttl_max_ms, self._margin_ms, adoption_skew_ms=self._adoption_skew_ms)
