"""Markers: a posting is claimed once, by one attempt, for ever."""

from __future__ import annotations

import pytest

from bidlock.backend import Backend, MarkerRecord, MarkerState, Ticket, Verdict
from bidlock.testing.lab import Lab
from bidlock.testing.scenario import scenario

STAMP = 1_700_000_000_123


async def claimed(store: Backend, ticket: Ticket) -> int:
    """Acquire and claim; returns the token."""
    token = (await store.acquire(ticket)).token
    assert (await store.claim(ticket, token)).ok
    return token


@scenario()
async def test_a_claimed_posting_is_done_after_its_release(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    await claimed(store, ticket)
    await store.release(ticket)
    assert (await other.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario()
async def test_a_claimed_posting_is_done_while_it_is_still_held(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    await claimed(store, ticket)
    assert (await other.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario()
async def test_a_marker_does_not_expire_with_its_lease(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    await claimed(store, ticket)
    assert (await store.renew(ticket._replace(ttl_ms=1))).ok
    await lab.expired(store, ticket.posting)
    assert (await other.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario()
async def test_claiming_again_is_agreed_to(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    token = await claimed(store, ticket)
    assert (await store.claim(ticket, token)).ok
    await store.release(ticket)
    assert (await store.claim(ticket, token)).ok


@scenario()
async def test_nobody_else_claims_a_claimed_posting(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket, rival = lab.ticket(), lab.ticket()
    rival = rival._replace(posting=ticket.posting)
    await claimed(store, ticket)
    await store.release(ticket)
    assert (await other.claim(rival, 99)).verdict is Verdict.DONE
    marker = (await other.inspect(ticket.posting)).marker
    assert marker is not None
    assert marker.nonce == ticket.nonce


@scenario()
async def test_a_holder_does_not_overwrite_a_marker_that_came_meanwhile(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    holder = lab.ticket()
    marking = lab.ticket(holder.posting)
    token = (await store.acquire(holder)).token
    assert (await other.mark(marking, 7)).ok
    assert (await store.claim(holder, token)).verdict is Verdict.DONE
    marker = (await store.inspect(holder.posting)).marker
    assert marker is not None
    assert marker.nonce == marking.nonce


@scenario()
async def test_a_claim_writes_down_who_claimed_and_under_which_token(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket(posted_at_ms=STAMP)
    token = await claimed(store, ticket)
    marker = (await other.inspect(ticket.posting)).marker
    assert marker == MarkerRecord(ticket.nonce, token, MarkerState.CLAIMED, STAMP)


@scenario()
async def test_a_client_that_comes_later_sees_the_marker(lab: Lab) -> None:
    first = await lab.opened()
    ticket = lab.ticket()
    await claimed(first, ticket)
    await first.release(ticket)
    await first.close()
    later = await lab.opened()
    assert (await later.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@pytest.mark.parametrize("state", [MarkerState.PLACED, MarkerState.REJECTED, MarkerState.UNKNOWN])
@scenario()
async def test_what_became_of_the_bid_is_recorded(lab: Lab, state: MarkerState) -> None:
    store = await lab.opened()
    ticket = lab.ticket(posted_at_ms=STAMP)
    token = await claimed(store, ticket)
    assert (await store.record(ticket, state)).ok
    assert (await store.inspect(ticket.posting)).marker == MarkerRecord(ticket.nonce, token, state, STAMP)


@scenario()
async def test_recording_needs_no_lease_any_more(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    await claimed(store, ticket)
    await store.release(ticket)
    assert (await store.record(ticket, MarkerState.PLACED)).ok


@scenario()
async def test_nobody_records_into_the_marker_of_another(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    token = await claimed(store, ticket)
    assert (await other.record(lab.ticket(ticket.posting), MarkerState.REJECTED)).verdict is Verdict.LOST
    assert (await store.inspect(ticket.posting)).marker == MarkerRecord(ticket.nonce, token, MarkerState.CLAIMED, 0)


@scenario()
async def test_without_a_marker_there_is_nothing_to_record(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert (await store.record(ticket, MarkerState.PLACED)).verdict is Verdict.LOST
    assert (await store.inspect(ticket.posting)).marker is None


@scenario()
async def test_marking_needs_no_lease(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(posted_at_ms=STAMP)
    assert (await store.mark(ticket, 41, MarkerState.PRESUMED)).ok
    assert (await store.inspect(ticket.posting)).marker == MarkerRecord(ticket.nonce, 41, MarkerState.PRESUMED, STAMP)
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.DONE


@scenario()
async def test_the_first_mark_stays(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    first = lab.ticket()
    assert (await store.mark(first, 5)).ok
    assert (await store.mark(first, 5)).ok
    assert (await other.mark(lab.ticket(first.posting), 6)).verdict is Verdict.DONE
    assert (await store.inspect(first.posting)).marker == MarkerRecord(first.nonce, 5, MarkerState.CLAIMED, 0)
