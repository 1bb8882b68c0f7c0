"""Pauses: a holder, or the store, stands still longer than the lease lives."""

from __future__ import annotations

from typing import Any

import pytest

from bidlock.backend import Verdict
from bidlock.errors import BackendError
from bidlock.testing.lab import SHORT, Lab
from bidlock.testing.scenario import scenario
from bidlock.testing.suite.leases import HOLDERS_ONLY


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario("processes")
async def test_a_holder_that_slept_through_its_lease_has_lost_it(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    ticket = lab.ticket(ttl_ms=4 * SHORT)
    token = (await remote.ask("acquire", ticket)).token
    remote.stop()
    await lab.expired(store, ticket.posting)
    remote.send(verb, ticket, token)
    remote.resume()
    assert (await remote.answer()).verdict is Verdict.LOST
    assert await store.inspect(ticket.posting) == (None, None)


@scenario("processes")
async def test_a_holder_that_slept_does_not_claim_what_its_successor_claimed(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    sleeper = lab.ticket(ttl_ms=4 * SHORT)
    successor = lab.ticket(sleeper.posting)
    token = (await remote.ask("acquire", sleeper)).token
    remote.stop()
    second = await lab.turn(store, successor)
    assert (await store.claim(successor, second.token)).ok
    remote.send("claim", sleeper, token)
    remote.resume()
    assert (await remote.answer()).verdict is Verdict.DONE


@scenario("processes")
async def test_a_holder_that_slept_does_not_disturb_its_successor(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    sleeper = lab.ticket(ttl_ms=4 * SHORT)
    successor = lab.ticket(sleeper.posting)
    await remote.ask("acquire", sleeper)
    remote.stop()
    second = await lab.turn(store, successor)
    remote.send("release", sleeper)
    remote.resume()
    await remote.answer()
    assert (await store.confirm(successor, second.token)).ok


@scenario("pause", "resume")
async def test_a_store_that_stands_still_gives_no_answer_and_then_a_true_one(lab: Lab) -> None:
    harness: Any = lab.harness
    store, ticket = await lab.opened(timeout=1.0), lab.ticket()
    harness.pause()
    try:
        with pytest.raises(BackendError):
            await store.acquire(ticket)
    finally:
        harness.resume()

    async def answered() -> bool:
        try:
            return (await store.acquire(ticket)).ok
        except BackendError:
            return False

    await lab.until("the attempt was answered after the pause", answered)
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD
