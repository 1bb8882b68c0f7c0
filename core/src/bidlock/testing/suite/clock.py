"""Clocks: where the store decides about expiry, a client's wrong date changes nothing."""

from __future__ import annotations

import pytest

from bidlock.backend import Verdict
from bidlock.testing.lab import LONG, SHORT, Lab
from bidlock.testing.scenario import scenario

DAY = 86_400.0
SHIFTS = pytest.mark.parametrize("shift", [DAY, -DAY], ids=["tomorrow", "yesterday"])


@SHIFTS
@scenario("processes", "server clock")
async def test_a_client_in_another_day_does_not_take_a_held_posting(lab: Lab, shift: float) -> None:
    store = await lab.opened()
    remote = await lab.remote(shift=shift)
    ticket = lab.ticket(ttl_ms=LONG)
    assert (await store.acquire(ticket)).ok
    refused = await remote.ask("acquire", lab.ticket(ticket.posting))
    assert refused.verdict is Verdict.HELD
    assert LONG // 2 < refused.remaining_ms <= LONG


@SHIFTS
@scenario("processes", "server clock")
async def test_the_lease_of_a_client_in_another_day_lives_as_long_as_any(lab: Lab, shift: float) -> None:
    store = await lab.opened()
    remote = await lab.remote(shift=shift)
    ticket = lab.ticket(ttl_ms=LONG)
    assert (await remote.ask("acquire", ticket)).ok
    lease = (await store.inspect(ticket.posting)).lease
    assert lease is not None
    assert LONG // 2 < lease.remaining_ms <= LONG


@SHIFTS
@scenario("processes", "server clock")
async def test_a_client_in_another_day_sees_a_lease_expire(lab: Lab, shift: float) -> None:
    store = await lab.opened()
    remote = await lab.remote(shift=shift)
    ticket = lab.ticket(ttl_ms=SHORT)
    first = await store.acquire(ticket)
    await lab.expired(store, ticket.posting)
    assert (await remote.ask("acquire", lab.ticket(ticket.posting))).token > first.token
    assert (await remote.ask("renew", ticket)).verdict is Verdict.LOST
