"""Releases, looks and breaks: how a lease ends before its time, and what the store says about it."""

from __future__ import annotations

import pytest

from bidlock.backend import Verdict
from bidlock.testing.lab import LONG, SHORT, Lab
from bidlock.testing.scenario import scenario
from bidlock.testing.suite.leases import HOLDERS_ONLY, call


@scenario()
async def test_a_release_frees_at_once(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert (await store.release(ticket)).ok
    assert (await other.acquire(lab.ticket(ticket.posting))).ok


@scenario()
async def test_releasing_twice_is_harmless(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    await store.release(ticket)
    await store.release(ticket)
    assert await store.inspect(ticket.posting) == (None, None)


@scenario()
async def test_a_release_never_ends_the_lease_of_another(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert not (await other.release(lab.ticket(ticket.posting))).ok
    assert (await store.renew(ticket)).ok


@scenario()
async def test_a_late_release_does_not_end_the_lease_of_the_successor(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    late = lab.ticket(ttl_ms=SHORT)
    successor = lab.ticket(late.posting)
    assert (await store.acquire(late)).ok
    await lab.expired(store, late.posting)
    assert (await other.acquire(successor)).ok
    await store.release(late)
    assert (await other.renew(successor)).ok


@scenario()
async def test_a_look_at_a_free_posting_shows_nothing(lab: Lab) -> None:
    store = await lab.opened()
    assert await store.inspect(lab.posting()) == (None, None)


@scenario()
async def test_a_look_shows_who_holds_the_posting(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket(ttl_ms=LONG, holder="pod-7")
    token = (await store.acquire(ticket)).token
    lease, marker = await other.inspect(ticket.posting)
    assert marker is None
    assert lease is not None
    assert (lease.nonce, lease.token, lease.holder) == (ticket.nonce, token, "pod-7")
    assert LONG // 2 < lease.remaining_ms <= LONG


@scenario()
async def test_a_look_changes_nothing(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=LONG)
    token = (await store.acquire(ticket)).token
    await store.inspect(ticket.posting)
    assert (await store.confirm(ticket, token)).ok
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@scenario()
async def test_a_break_tells_whose_lease_it_was_and_frees_the_posting(lab: Lab) -> None:
    store, admin = await lab.opened(), await lab.opened()
    ticket = lab.ticket(holder="pod-8")
    token = (await store.acquire(ticket)).token
    broken = await admin.break_(ticket.posting, by="ops", reason="pod is gone")
    assert broken is not None
    assert (broken.nonce, broken.token, broken.holder) == (ticket.nonce, token, "pod-8")
    assert (await admin.acquire(lab.ticket(ticket.posting))).ok


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario()
async def test_who_was_broken_has_lost_its_lease(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    await store.break_(ticket.posting, by="ops", reason="stuck")
    assert (await call(store, verb, ticket, token)).verdict is Verdict.LOST


@scenario()
async def test_the_token_after_a_break_is_higher(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    await store.break_(ticket.posting, by="ops", reason="stuck")
    assert (await store.acquire(lab.ticket(ticket.posting))).token > token + 1


@scenario()
async def test_breaking_a_free_posting_finds_nothing(lab: Lab) -> None:
    store = await lab.opened()
    assert await store.break_(lab.posting(), by="ops", reason="mistaken") is None


@scenario()
async def test_a_break_never_removes_a_marker(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    assert (await store.claim(ticket, token)).ok
    await store.break_(ticket.posting, by="ops", reason="stuck")
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE
