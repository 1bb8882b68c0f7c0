"""The network: a connection is cut at every byte, or a reply is lost, and the answer stays true.

A primitive may answer, or raise `BackendUnavailable` (then it did not happen) or `BackendAmbiguous`. Whatever it did, the
store then shows one consistent truth, and a repetition under the same nonce completes the primitive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, NamedTuple

import pytest

from bidlock.addresses import parse
from bidlock.backend import Answer, Backend, Ticket, Verdict
from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock.testing.lab import PATIENCE, Lab
from bidlock.testing.proxy import Direction, Proxy
from bidlock.testing.scenario import scenario

EVERY_BYTE = pytest.mark.parametrize("direction", list(Direction), ids=lambda direction: direction.value)
TIMEOUT = 1.0
"""Seconds a client waits for one answer."""

Primitive = Callable[[Ticket, int], Awaitable[Answer]]
Outcome = Answer | BackendUnavailable | BackendAmbiguous


class Line(NamedTuple):
    """Two clients of one store, one of them behind the proxy."""

    proxy: Proxy
    near: Backend
    """Not through the proxy."""
    far: Backend
    """Through it."""


async def line(lab: Lab, proxy: Proxy) -> Line:
    """Connect both clients; the far one has worked once, so that only the primitive itself is on the wire later."""
    harness: Any = lab.harness
    near = await lab.opened()
    address = parse(harness.url_through(lab.url, proxy.host, proxy.port))
    far = await lab.client(address=address, timeout=TIMEOUT)
    ticket = lab.ticket()
    token = (await far.acquire(ticket)).token
    assert (await far.renew(ticket)).ok
    assert (await far.claim(ticket, token)).ok
    assert (await far.release(ticket)).ok
    return Line(proxy, near, far)


def through(lab: Lab) -> Proxy:
    """A proxy in front of the harness's store."""
    harness: Any = lab.harness
    return Proxy(*harness.tcp)


async def told(answer: Awaitable[Answer]) -> Outcome:
    """The answer, or the exception that a backend may raise instead."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer
    except (BackendUnavailable, BackendAmbiguous) as error:
        return error


async def repeated(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer, as core does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            outcome = await told(ask())
            if isinstance(outcome, Answer):
                return outcome
            await asyncio.sleep(0.002)


async def cut_everywhere(lab: Lab, direction: Direction, held: bool, check: Callable[[Line, Ticket, int], Awaitable[None]]) -> None:
    """Run the check with a cut before byte 1, 2, 3 … of what goes in a direction, until the primitive gets through whole.

    Args:
        lab: The test's lab.
        direction: Which bytes are counted.
        held: Whether the far client holds the posting already.
        check: Makes the far client ask, and judges; gets the ticket and its token.
    """
    async with through(lab) as proxy:
        wire = await line(lab, proxy)
        for after in count():
            ticket = lab.ticket()
            token = (await repeated(lambda ticket=ticket: wire.far.acquire(ticket))).token if held else 0  # type: ignore[misc]
            proxy.cut(direction, after=after)
            await check(wire, ticket, token)
            if not proxy.cut_done:
                assert after > 0
                return


@EVERY_BYTE
@scenario("tcp", "url_through")
async def test_an_acquire_cut_at_any_byte_leaves_one_truth(lab: Lab, direction: Direction) -> None:
    async def check(wire: Line, ticket: Ticket, _: int) -> None:
        outcome = await told(wire.far.acquire(ticket))
        wire.proxy.mend()
        lease = (await wire.near.inspect(ticket.posting)).lease
        assert not isinstance(outcome, BackendUnavailable) or lease is None
        assert not isinstance(outcome, Answer) or (
            outcome.ok and lease is not None and (lease.nonce, lease.token) == (ticket.nonce, outcome.token)
        )
        again = await repeated(lambda: wire.far.acquire(ticket))
        assert again.ok
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD
        await repeated(lambda: wire.far.release(ticket))
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).token > again.token

    await cut_everywhere(lab, direction, False, check)


@EVERY_BYTE
@scenario("tcp", "url_through")
async def test_a_claim_cut_at_any_byte_leaves_one_truth(lab: Lab, direction: Direction) -> None:
    async def check(wire: Line, ticket: Ticket, token: int) -> None:
        outcome = await told(wire.far.claim(ticket, token))
        wire.proxy.mend()
        marker = (await wire.near.inspect(ticket.posting)).marker
        assert not isinstance(outcome, BackendUnavailable) or marker is None
        assert not isinstance(outcome, Answer) or (outcome.ok and marker is not None and marker.nonce == ticket.nonce)
        assert (await repeated(lambda: wire.far.claim(ticket, token))).ok
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE

    await cut_everywhere(lab, direction, True, check)


@EVERY_BYTE
@scenario("tcp", "url_through")
async def test_a_renewal_cut_at_any_byte_leaves_one_truth(lab: Lab, direction: Direction) -> None:
    async def check(wire: Line, ticket: Ticket, _: int) -> None:
        longer = ticket._replace(ttl_ms=4 * ticket.ttl_ms)
        outcome = await told(wire.far.renew(longer))
        wire.proxy.mend()
        lease = (await wire.near.inspect(ticket.posting)).lease
        assert lease is not None
        renewed = lease.remaining_ms > ticket.ttl_ms
        assert not isinstance(outcome, BackendUnavailable) or not renewed
        assert not isinstance(outcome, Answer) or (outcome.ok and renewed)
        assert (await repeated(lambda: wire.far.renew(longer))).ok

    await cut_everywhere(lab, direction, True, check)


@EVERY_BYTE
@scenario("tcp", "url_through")
async def test_a_release_cut_at_any_byte_leaves_one_truth(lab: Lab, direction: Direction) -> None:
    async def check(wire: Line, ticket: Ticket, token: int) -> None:
        outcome = await told(wire.far.release(ticket))
        wire.proxy.mend()
        lease = (await wire.near.inspect(ticket.posting)).lease
        assert not isinstance(outcome, BackendUnavailable) or lease is not None
        assert not isinstance(outcome, Answer) or lease is None
        await repeated(lambda: wire.far.release(ticket))
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).token > token

    await cut_everywhere(lab, direction, True, check)


@scenario("tcp", "url_through")
async def test_an_acquire_whose_reply_does_not_come_is_ambiguous_and_can_be_repeated(lab: Lab) -> None:
    async with through(lab) as proxy:
        wire, ticket = await line(lab, proxy), lab.ticket()
        proxy.hold()
        outcome = await told(wire.far.acquire(ticket))
        proxy.flow()
        assert isinstance(outcome, BackendAmbiguous)
        assert (await repeated(lambda: wire.far.acquire(ticket))).ok
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@scenario("tcp", "url_through")
async def test_a_claim_whose_reply_does_not_come_is_ambiguous_and_can_be_repeated(lab: Lab) -> None:
    async with through(lab) as proxy:
        wire, ticket = await line(lab, proxy), lab.ticket()
        token = (await wire.far.acquire(ticket)).token
        proxy.hold()
        outcome = await told(wire.far.claim(ticket, token))
        proxy.flow()
        assert isinstance(outcome, BackendAmbiguous)
        assert (await repeated(lambda: wire.far.claim(ticket, token))).ok
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario("tcp", "url_through")
async def test_a_late_reply_is_not_taken_for_the_answer_to_another_request(lab: Lab) -> None:
    async with through(lab) as proxy:
        wire, held, free = await line(lab, proxy), lab.ticket(), lab.ticket()
        assert (await wire.near.acquire(lab.ticket(held.posting))).ok
        proxy.hold()
        await told(wire.far.acquire(held))
        asking = asyncio.create_task(told(wire.far.acquire(free)))
        await asyncio.sleep(0)
        proxy.flow()
        outcome = await asking
        assert not isinstance(outcome, Answer) or outcome.ok
        assert (await repeated(lambda: wire.far.acquire(free))).ok


@scenario("tcp", "url_through")
async def test_a_slow_line_changes_no_answer(lab: Lab) -> None:
    async with through(lab) as proxy:
        wire, ticket = await line(lab, proxy), lab.ticket()
        proxy.delay = 0.02
        token = (await repeated(lambda: wire.far.acquire(ticket))).token
        assert (await repeated(lambda: wire.far.claim(ticket, token))).ok
        assert (await wire.near.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario("tcp", "url_through", "notify")
async def test_a_cut_line_does_not_make_a_waiter_hang(lab: Lab) -> None:
    async with through(lab) as proxy:
        wire, ticket = await line(lab, proxy), lab.ticket()
        assert (await wire.near.acquire(ticket)).ok
        async with asyncio.timeout(PATIENCE), wire.far.wakeups(ticket.posting) as wakeups:
            waiting = asyncio.create_task(wakeups.wait(TIMEOUT))
            await asyncio.sleep(0)
            proxy.sever()
            await waiting
