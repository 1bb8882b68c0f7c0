"""Contention: many at once, and never two."""

from __future__ import annotations

import asyncio

from bidlock.backend import Verdict
from bidlock.testing.lab import PATIENCE, Lab
from bidlock.testing.scenario import scenario


@scenario()
async def test_of_many_that_ask_at_once_one_holds(lab: Lab) -> None:
    clients = [await lab.opened() for _ in range(4)]
    for _ in range(5):
        about = lab.posting()
        answers = await asyncio.gather(*(clients[n % 4].acquire(lab.ticket(about)) for n in range(24)))
        assert sorted(answer.verdict for answer in answers) == sorted([Verdict.OK] + [Verdict.HELD] * 23)


@scenario()
async def test_many_postings_at_once_do_not_disturb_each_other(lab: Lab) -> None:
    clients = [await lab.opened(), await lab.opened()]
    tickets = [lab.ticket() for _ in range(100)]
    answers = await asyncio.gather(*(clients[n % 2].acquire(ticket) for n, ticket in enumerate(tickets)))
    assert all(answer.ok for answer in answers)
    claims = (clients[n % 2].claim(ticket, answers[n].token) for n, ticket in enumerate(tickets))
    assert all(answer.ok for answer in await asyncio.gather(*claims))
    seen = [await clients[0].inspect(ticket.posting) for ticket in tickets]
    assert [one.marker.nonce for one in seen if one.marker] == [ticket.nonce for ticket in tickets]


@scenario()
async def test_one_attempt_that_asks_many_times_at_once_holds(lab: Lab) -> None:
    clients = [await lab.opened(), await lab.opened()]
    ticket = lab.ticket()
    answers = await asyncio.gather(*(clients[n % 2].acquire(ticket) for n in range(8)))
    assert all(answer.ok for answer in answers)
    assert (await clients[0].confirm(ticket, max(answer.token for answer in answers))).ok


@scenario()
async def test_of_many_attempts_one_claims(lab: Lab) -> None:
    clients = [await lab.opened() for _ in range(4)]
    about, claims = lab.posting(), []

    async def attempt(number: int) -> None:
        store, ticket = clients[number % 4], lab.ticket(about)
        answer = await lab.turn(store, ticket)
        if answer.ok:
            claims.append((await store.claim(ticket, answer.token)).verdict)
            await store.release(ticket)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(attempt(number) for number in range(16)))
    assert claims == [Verdict.OK]


@scenario()
async def test_an_unprotected_counter_loses_no_step(lab: Lab) -> None:
    clients = [await lab.opened() for _ in range(4)]
    about, counter, tokens = lab.posting(), [0], []

    async def step(number: int) -> None:
        store, ticket = clients[number % 4], lab.ticket(about)
        answer = await lab.turn(store, ticket)
        seen = counter[0]
        await asyncio.sleep(0)
        counter[0] = seen + 1
        tokens.append(answer.token)
        await store.release(ticket)

    async def worker(number: int) -> None:
        for _ in range(6):
            await step(number)

    async with asyncio.timeout(2 * PATIENCE):
        await asyncio.gather(*(worker(number) for number in range(8)))
    assert counter == [48]
    assert tokens == sorted(set(tokens))
