"""One attempt on one posting: acquire, confirm, claim, record, release over the stores that its mode names.

The order of steps is the protocol's (docs/explanation/architecture.md); nothing here knows which mode it runs, or
which store. An answer that never came is neither yes nor no: it is asked again under the same nonce.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from bidlock.backend import Answer, MarkerState, Ticket, Verdict
from bidlock.clock import Clock
from bidlock.errors import BackendError, ConfigurationError
from bidlock.modes import Mode, Role
from bidlock.outcomes import SkipReason
from bidlock.stores import Store
from bidlock.waiting import pauses

Step = Callable[[], Awaitable[Answer]]

REASONS = {
    Verdict.HELD: SkipReason.HELD,
    Verdict.DONE: SkipReason.ALREADY_BID,
    Verdict.LOST: SkipReason.LOST,
    Verdict.CLOSED: SkipReason.CLOSED,
    Verdict.MODE: SkipReason.MODE,
    Verdict.DOMAIN: SkipReason.DOMAIN,
    Verdict.OWNER: SkipReason.OWNER,
    Verdict.FORMAT: SkipReason.FORMAT,
    Verdict.WATERMARK: SkipReason.WATERMARK,
    Verdict.BUSY: SkipReason.BUSY,
}

_PASSING = frozenset({Verdict.CLOSED, Verdict.MODE, Verdict.BUSY})
"""Answers that a holder rides through until its own deadline: the store is changing phase, restarting or locked."""

_BUSY = frozenset({Verdict.BUSY})

_NO_VOTE = frozenset({Verdict.CLOSED, Verdict.MODE})
"""Answers of a best-effort store that count like no answer at all."""


class Refusal(NamedTuple):
    """Why an attempt ended without what it wanted.

    Attributes:
        reason: From the closed list.
        role: The store that refused; None when no store did.
        remaining_ms: With `held`, milliseconds until the lease in the way expires; -1 when unknown.
        detail: For humans.
    """

    reason: SkipReason
    role: Role | None = None
    remaining_ms: int = -1
    detail: str = ""


_LATE = Refusal(SkipReason.LOST, detail="the lease's deadline passed")


class Attempt:
    """One attempt. Its nonce and mode are fixed before anything is sent."""

    __slots__ = ("_clock", "_patience", "_sent", "_stores", "_touched", "alone", "deadline", "mode", "ticket", "token")

    def __init__(self, stores: Mapping[Role, Store], mode: Mode, ticket: Ticket, clock: Clock, patience: float) -> None:
        """Prepare; nothing is sent.

        Args:
            stores: The stores by role; every role that `mode` names.
            mode: What to require.
            ticket: Who asks, for what.
            clock: Source of the monotonic time that the deadline rests on.
            patience: How long a store that does not answer is asked again, seconds.
        """
        self.ticket = ticket
        self.mode = mode
        self.alone = False
        """Whether a store that is no more than a courtesy did not lease the posting."""
        self.token = 0
        self.deadline = 0.0
        self._stores = stores
        self._clock = clock
        self._patience = patience
        self._sent = 0.0
        self._touched: list[Role] = []

    async def acquire(self, passed_from: str = "") -> Refusal | None:
        """Lease the posting in every required store; on refusal nothing stays leased.

        Args:
            passed_from: Nonce of a lease in this process whose holder stopped believing in it; empty for none.

        Returns:
            None when all leases are held until `deadline`, else the refusal.
        """
        refusal = await self._acquire_best_effort(passed_from) if self.mode.best_effort else None
        oldest = float("inf")
        for role in () if refusal else self.mode.required:
            self._touched.append(role)
            step = functools.partial(self._acquire_in, self._stores[role], passed_from)
            answer = await self._ask(role, step, self._clock.monotonic() + self._patience)
            if not answer or not answer.ok:
                refusal = self._refusal(answer, role)
                break
            self.token, oldest = answer.token, min(oldest, self._sent)
        if refusal is None:
            self.deadline = oldest + self._lifetime()
            refusal = await self._each(self.mode.confirms, self._confirm) if self.mode.confirms else None
            refusal = refusal or self._refusal_when_late()
        if refusal is not None:
            await self.release()
        return refusal

    def _refusal_when_late(self) -> Refusal | None:
        """A process that was stopped while the answer was on its way holds nothing that it may believe in."""
        return _LATE if self._clock.monotonic() >= self.deadline else None

    @property
    def unreleased(self) -> bool:
        """Whether some store may still hold something of this attempt."""
        return bool(self._touched)

    async def renew(self) -> Refusal | None:
        """Set the TTL of every required lease anew; moves `deadline` once all have agreed."""
        sent = self._clock.monotonic()
        refusal = await self._each(self.mode.required, self._renew)
        if refusal is None:
            self.deadline = sent + self._lifetime()
        return refusal

    async def claim(self) -> Refusal | None:
        """Write the marker wherever the mode requires it. Only after this returned None may the bid be placed."""
        return await self._each(self.mode.claims, self._claim)

    async def record(self, state: MarkerState) -> Refusal | None:
        """Write what became of the bid into the attempt's markers, and the marker itself where it is a courtesy."""
        until = self._clock.monotonic() + self._patience
        refusal = None
        for role in self.mode.claims:
            answer = await self._ask(role, functools.partial(self._stores[role].backend.record, self.ticket, state), until)
            if not answer or not answer.ok:
                refusal = self._refusal(answer, role)
        for role in self.mode.marks:
            await self._once(self._stores[role].backend.mark(self.ticket, self.token, state))
        return refusal

    async def presume(self) -> Refusal | None:
        """Insert a `presumed` marker wherever the mode claims: whoever holds this lock may bid without telling us."""
        until = self._clock.monotonic() + self._patience
        for role in self.mode.claims:
            step = functools.partial(self._stores[role].backend.mark, self.ticket, self.token, MarkerState.PRESUMED)
            answer = await self._ask(role, step, until)
            if not answer or not answer.ok:
                return self._refusal(answer, role)
        return None

    async def release(self) -> bool:
        """Delete whatever this attempt may hold, in the order it was acquired; each store is asked once.

        Returns:
            Whether every store did it; if not, `insist_on_release` goes on.
        """
        for role in tuple(self._touched):
            answer = await self._once(self._stores[role].backend.release(self.ticket))
            if answer and answer.verdict is not Verdict.BUSY:  # that one has done nothing yet
                self._touched.remove(role)
        return not self._touched

    async def insist_on_release(self) -> None:
        """Release until every store has done it, or the leases have expired anyway."""
        until = max(self.deadline, self._clock.monotonic() + self._patience)
        for pause in pauses():
            if await self.release() or self._clock.monotonic() + pause >= until:
                return
            await asyncio.sleep(pause)

    async def _acquire_best_effort(self, passed_from: str) -> Refusal | None:
        for role in self.mode.best_effort:
            self._touched.append(role)
            answer = await self._once(self._stores[role].backend.acquire(self.ticket, passed_from=passed_from))
            if answer and answer.ok:
                self.token = answer.token
                continue
            self.alone = True
            if answer and answer.verdict not in _NO_VOTE:
                return self._refusal(answer, role)
        return None

    async def _acquire_in(self, store: Store, passed_from: str) -> Answer:
        """Ask once, and note the moment before: of the last question, which is the one that was answered, the deadline counts from it."""
        if not store.learned:
            await store.ensure_learned(self.ticket.ttl_ms)
        self._sent = self._clock.monotonic()
        return await store.backend.acquire(self.ticket, floor=self.token, passed_from=passed_from)

    def _lifetime(self) -> float:
        """Seconds for which a lease may be believed in, from before it was asked for."""
        margin = 0.0
        for role in self.mode.required:
            margin = max(margin, self._stores[role].margin(self.ticket.ttl_ms))
        return self.ticket.ttl_ms / 1000 - margin

    async def _each(self, roles: tuple[Role, ...], step: Callable[[Role], Awaitable[Answer]]) -> Refusal | None:
        """Ask the stores one after the other, as a holder: until its own deadline, and never after it."""
        for role in roles:
            if late := self._refusal_when_late():
                return late
            answer = await self._ask(role, functools.partial(step, role), self.deadline, _PASSING)
            if not answer or not answer.ok:
                return self._refusal(answer, role)
        return None

    def _confirm(self, role: Role) -> Awaitable[Answer]:
        return self._stores[role].backend.confirm(self.ticket, self.token)

    def _renew(self, role: Role) -> Awaitable[Answer]:
        return self._stores[role].backend.renew(self.ticket)

    def _claim(self, role: Role) -> Awaitable[Answer]:
        return self._stores[role].backend.claim(self.ticket, self.token)

    async def _ask(self, role: Role, step: Step, until: float, ride: frozenset[Verdict] = _BUSY) -> Answer | None:
        """Ask a store until it answers, or until the monotonic time `until`; None when it did not.

        Args:
            role: The store.
            step: The question; idempotent, because its nonce stays the same.
            until: When to give up, monotonic seconds.
            ride: Answers that are asked again, too.
        """
        try:
            answer: Answer | None = await step()
        except BackendError:
            answer = None
        if answer and answer.verdict is Verdict.OK:  # nearly always; the rest costs what it may
            return answer
        return await self._insist(role, step, until, ride, answer)

    async def _insist(self, role: Role, step: Step, until: float, ride: frozenset[Verdict], answer: Answer | None) -> Answer | None:
        """See `_ask`, from the first answer on."""
        for pause in pauses():
            if answer and answer.verdict is Verdict.CLOSED:
                if await self._stores[role].reopen():
                    pause = 0.0
                elif Verdict.CLOSED not in ride:
                    return answer
            elif answer and answer.verdict not in ride:
                return answer
            if self._clock.monotonic() + pause >= until:
                return answer
            await asyncio.sleep(pause)
            answer = await self._once(step())
        raise AssertionError("pauses() never ends")

    async def _once(self, question: Awaitable[Answer]) -> Answer | None:
        try:
            return await question
        except BackendError:
            return None

    def _refusal(self, answer: Answer | None, role: Role) -> Refusal:
        if answer is None:
            return Refusal(SkipReason.UNREACHABLE, role, detail=f"the {role.value} store did not answer")
        if answer.verdict is Verdict.TTL:
            raise ConfigurationError(f"ttl {self.ticket.ttl_ms / 1000:g} s is above the {role.value} store's longest TTL")
        return Refusal(REASONS[answer.verdict], role, answer.remaining_ms)
