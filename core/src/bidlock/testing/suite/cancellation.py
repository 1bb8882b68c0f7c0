"""Cancellation at every await: whatever was cancelled, a release undoes it at once and a repetition completes it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import pytest

from bidlock.backend import Answer, Backend, Ticket, Verdict
from bidlock.testing.cancelling import cancel_at
from bidlock.testing.lab import Lab
from bidlock.testing.scenario import scenario

WHEN = pytest.mark.parametrize("late", [False, True], ids=["while it waits", "with the answer in hand"])


async def at_every_await(
    lab: Lab, late: bool, prepare: Callable[[Ticket], Coroutine[Any, Any, Callable[[], Coroutine[Any, Any, Answer]]]]
) -> list[Ticket]:
    """Cancel a primitive at its first await, then (with a fresh posting) at its second, until it has no more."""
    tickets = []
    for step in count(1):
        tickets.append(ticket := lab.ticket())
        ending = await cancel_at(step, await prepare(ticket), late=late)
        assert not ending.failed, ending.error
        if not ending.reached:
            return tickets
    raise AssertionError("unreachable")


async def free_at_once(lab: Lab, store: Backend, ticket: Ticket) -> None:
    """The posting can be acquired now, though its leases live long."""
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.OK


@WHEN
@scenario()
async def test_a_release_undoes_a_cancelled_acquire(lab: Lab, late: bool) -> None:
    store, other = await lab.opened(), await lab.opened()

    async def prepare(ticket: Ticket) -> Callable[[], Coroutine[Any, Any, Answer]]:
        return lambda: store.acquire(ticket)

    for ticket in await at_every_await(lab, late, prepare):
        await store.release(ticket)
        await free_at_once(lab, other, ticket)


@WHEN
@scenario()
async def test_a_cancelled_acquire_can_be_repeated(lab: Lab, late: bool) -> None:
    store, other = await lab.opened(), await lab.opened()

    async def prepare(ticket: Ticket) -> Callable[[], Coroutine[Any, Any, Answer]]:
        return lambda: store.acquire(ticket)

    for ticket in await at_every_await(lab, late, prepare):
        token = (await store.acquire(ticket)).token
        assert (await store.confirm(ticket, token)).ok
        assert (await other.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@WHEN
@scenario()
async def test_a_cancelled_claim_can_be_repeated_and_nobody_else_claims(lab: Lab, late: bool) -> None:
    store, other = await lab.opened(), await lab.opened()
    tokens: dict[str, int] = {}

    async def prepare(ticket: Ticket) -> Callable[[], Coroutine[Any, Any, Answer]]:
        tokens[ticket.nonce] = (await store.acquire(ticket)).token
        return lambda: store.claim(ticket, tokens[ticket.nonce])

    for ticket in await at_every_await(lab, late, prepare):
        assert (await store.claim(ticket, tokens[ticket.nonce])).ok
        await store.release(ticket)
        assert (await other.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@WHEN
@scenario()
async def test_a_cancelled_release_can_be_repeated(lab: Lab, late: bool) -> None:
    store, other = await lab.opened(), await lab.opened()

    async def prepare(ticket: Ticket) -> Callable[[], Coroutine[Any, Any, Answer]]:
        assert (await store.acquire(ticket)).ok
        return lambda: store.release(ticket)

    for ticket in await at_every_await(lab, late, prepare):
        await store.release(ticket)
        await free_at_once(lab, other, ticket)


@WHEN
@scenario()
async def test_a_client_works_on_after_a_cancellation(lab: Lab, late: bool) -> None:
    store = await lab.opened()

    async def prepare(ticket: Ticket) -> Callable[[], Coroutine[Any, Any, Answer]]:
        return lambda: store.acquire(ticket)

    await at_every_await(lab, late, prepare)
    for _ in range(20):
        ticket = lab.ticket()
        token = (await store.acquire(ticket)).token
        assert (await store.claim(ticket, token)).ok
        assert (await store.release(ticket)).ok
