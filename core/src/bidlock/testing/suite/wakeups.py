"""Wake-ups: who waits for a posting hears of its release, and nobody waits longer than asked."""

from __future__ import annotations

import asyncio

from bidlock.testing.lab import PATIENCE, SHORT, Lab
from bidlock.testing.scenario import scenario

SOON = 0.05
NEVER = 600.0


@scenario("notify")
async def test_a_release_wakes_who_waits(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    async with asyncio.timeout(PATIENCE), other.wakeups(ticket.posting) as wakeups:
        waiting = asyncio.create_task(wakeups.wait(NEVER))
        await asyncio.sleep(0)
        await store.release(ticket)
        await waiting


@scenario("notify")
async def test_a_release_between_subscribing_and_waiting_is_not_missed(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    async with asyncio.timeout(PATIENCE), other.wakeups(ticket.posting) as wakeups:
        await store.release(ticket)
        await wakeups.wait(NEVER)


@scenario("notify")
async def test_a_release_wakes_every_waiter(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    async with (
        asyncio.timeout(PATIENCE),
        other.wakeups(ticket.posting) as one,
        other.wakeups(ticket.posting) as two,
        store.wakeups(ticket.posting) as three,
    ):
        await store.release(ticket)
        await asyncio.gather(one.wait(NEVER), two.wait(NEVER), three.wait(NEVER))


@scenario("notify")
async def test_a_second_release_wakes_again(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    about = lab.posting()
    async with asyncio.timeout(PATIENCE), other.wakeups(about) as wakeups:
        for _ in range(3):
            ticket = lab.ticket(about)
            assert (await store.acquire(ticket)).ok
            await store.release(ticket)
            await wakeups.wait(NEVER)


@scenario()
async def test_waiting_ends_after_the_timeout(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    async with asyncio.timeout(PATIENCE), other.wakeups(ticket.posting) as wakeups:
        await wakeups.wait(SOON)


@scenario()
async def test_who_subscribes_after_the_release_does_not_hang(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    await store.release(ticket)
    async with asyncio.timeout(PATIENCE), other.wakeups(ticket.posting) as wakeups:
        assert (await other.acquire(lab.ticket(ticket.posting))).ok
        await wakeups.wait(SOON)


@scenario()
async def test_leaving_without_having_waited_is_clean(lab: Lab) -> None:
    store = await lab.opened()
    for _ in range(3):
        async with store.wakeups(lab.posting()):
            pass


@scenario()
async def test_every_waiter_has_its_turn(lab: Lab) -> None:
    clients = [await lab.opened() for _ in range(3)]
    about, served = lab.posting(), []

    async def wait_and_hold(number: int) -> None:
        store, ticket = clients[number % 3], lab.ticket(about)
        async with store.wakeups(about) as wakeups:
            while not (await store.acquire(ticket)).ok:
                await wakeups.wait(SHORT / 1000)
        served.append(number)
        await store.release(ticket)

    async with asyncio.timeout(2 * PATIENCE):
        await asyncio.gather(*(wait_and_hold(number) for number in range(9)))
    assert sorted(served) == list(range(9))
