"""Crashes: a process is killed, or the store is; nothing that was acknowledged is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from bidlock.backend import Verdict
from bidlock.errors import BackendError
from bidlock.testing.lab import SHORT, Lab
from bidlock.testing.scenario import scenario


@scenario("processes")
async def test_processes_exclude_each_other(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    ticket = lab.ticket()
    first = await remote.ask("acquire", ticket)
    assert first.ok
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD
    assert (await remote.ask("release", ticket)).ok
    assert (await store.acquire(lab.ticket(ticket.posting))).token > first.token


@scenario("processes")
async def test_the_posting_of_a_killed_holder_gets_free_when_its_lease_expires(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    ticket = lab.ticket(ttl_ms=SHORT)
    first = await remote.ask("acquire", ticket)
    await remote.kill()
    assert (await lab.turn(store, lab.ticket(ticket.posting))).token > first.token


@scenario("processes")
async def test_the_posting_of_a_killed_holder_stays_held_until_then(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    ticket = lab.ticket()
    assert (await remote.ask("acquire", ticket)).ok
    await remote.kill()
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@scenario("processes")
async def test_what_a_killed_process_claimed_stays_done(lab: Lab) -> None:
    store = await lab.opened()
    remote = await lab.remote()
    ticket = lab.ticket()
    token = (await remote.ask("acquire", ticket)).token
    assert (await remote.ask("claim", ticket, token)).ok
    assert (await remote.ask("renew", ticket._replace(ttl_ms=1))).ok
    await remote.kill()
    await lab.expired(store, ticket.posting)
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario("kill", "restart")
async def test_a_dead_store_gives_no_answer(lab: Lab) -> None:
    store = await lab.opened(timeout=0.5)
    ticket = lab.ticket()
    _power(lab, "kill")
    try:
        with pytest.raises(BackendError):
            await store.acquire(ticket)
    finally:
        _power(lab, "restart")


@scenario("kill", "restart")
async def test_a_store_that_was_killed_keeps_every_acknowledged_marker(lab: Lab) -> None:
    if lab.spec.capabilities.durability == "volatile":
        pytest.skip("the backend promises no durability")
    store = await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    assert (await store.claim(ticket, token)).ok
    _power(lab, "kill")
    _power(lab, "restart")
    later = await lab.opened()
    assert (await later.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE
    assert (await later.acquire(lab.ticket())).token > token


@scenario("kill", "restart")
async def test_a_client_outlives_its_store(lab: Lab) -> None:
    store = await lab.opened()
    _power(lab, "kill")
    _power(lab, "restart")

    async def opened() -> bool:
        try:
            return await store.open_self(lab.meta)
        except BackendError:
            return False

    await lab.until("the client opened the restarted store", opened)
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert (await store.release(ticket)).ok


def _power(lab: Lab, name: str) -> None:
    power: Any = getattr(lab.harness, name)
    power()
