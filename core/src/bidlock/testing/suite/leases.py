"""Leases: who holds a posting, how long, under which token, and how it gets free."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bidlock.backend import Answer, Backend, Ticket, Verdict
from bidlock.testing.lab import LONG, SHORT, Lab
from bidlock.testing.scenario import scenario

HOLDERS_ONLY = ("renew", "confirm", "claim")


async def call(backend: Backend, verb: str, ticket: Ticket, token: int = 1) -> Answer:
    """Call one of the primitives that only a holder may."""
    answer: Answer = await (backend.renew(ticket) if verb == "renew" else getattr(backend, verb)(ticket, token))
    return answer


@scenario()
async def test_one_posting_has_one_holder(lab: Lab) -> None:
    mine, theirs = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    assert (await mine.acquire(ticket)).verdict is Verdict.OK
    for client in (mine, theirs):
        assert (await client.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@scenario()
async def test_another_posting_is_free(lab: Lab) -> None:
    store = await lab.opened()
    assert (await store.acquire(lab.ticket())).ok
    assert (await store.acquire(lab.ticket())).ok


@scenario()
async def test_tokens_rise_from_holder_to_holder(lab: Lab) -> None:
    clients = [await lab.opened(), await lab.opened()]
    about, tokens = lab.posting(), []
    for turn in range(8):
        ticket = lab.ticket(about)
        tokens.append((await clients[turn % 2].acquire(ticket)).token)
        await clients[turn % 2].release(ticket)
    assert tokens[0] > 0
    assert all(earlier < later for earlier, later in pairwise(tokens)), tokens


@scenario()
async def test_a_token_is_never_below_the_floor(lab: Lab) -> None:
    store = await lab.opened()
    first = await store.acquire(lab.ticket(), floor=1_000_000)
    second = await store.acquire(lab.ticket(), floor=3)
    assert first.token >= 1_000_000
    assert second.token > first.token


@scenario()
async def test_asking_again_is_no_second_holder(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    first, again = await store.acquire(ticket), await store.acquire(ticket)
    assert first.ok
    assert again.ok
    assert again.token >= first.token
    assert (await store.confirm(ticket, again.token)).ok
    assert (await store.acquire(lab.ticket(ticket.posting))).verdict is Verdict.HELD


@scenario()
async def test_asking_again_sets_the_ttl_anew(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=LONG)
    assert (await store.acquire(ticket)).ok
    assert (await store.acquire(ticket._replace(ttl_ms=4 * LONG))).ok
    lease = (await store.inspect(ticket.posting)).lease
    assert lease is not None
    assert lease.remaining_ms > LONG


@scenario()
async def test_an_attempt_whose_lease_expired_gets_a_higher_token(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=SHORT)
    first = await store.acquire(ticket)
    await lab.expired(store, ticket.posting)
    assert (await store.acquire(ticket)).token > first.token


@scenario()
async def test_a_passed_lease_changes_hands_under_a_new_token(lab: Lab) -> None:
    store = await lab.opened()
    giver = lab.ticket()
    taker = lab.ticket(giver.posting)
    first = await store.acquire(giver)
    second = await store.acquire(taker, passed_from=giver.nonce)
    assert second.ok
    assert second.token > first.token
    assert (await store.confirm(taker, second.token)).ok


@scenario()
async def test_only_the_named_lease_is_passed_on(lab: Lab) -> None:
    store = await lab.opened()
    holder, stranger = lab.ticket(), lab.ticket()
    assert (await store.acquire(holder)).ok
    taken = await store.acquire(lab.ticket(holder.posting), passed_from=stranger.nonce)
    assert taken.verdict is Verdict.HELD
    assert (await store.renew(holder)).ok


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario()
async def test_who_passed_its_lease_on_has_lost_it(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    giver = lab.ticket()
    token = (await store.acquire(giver)).token
    assert (await store.acquire(lab.ticket(giver.posting), passed_from=giver.nonce)).ok
    assert (await call(store, verb, giver, token)).verdict is Verdict.LOST


@scenario()
async def test_held_says_when_the_lease_ends(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=LONG)
    assert (await store.acquire(ticket)).ok
    refused = await store.acquire(lab.ticket(ticket.posting))
    assert LONG // 2 < refused.remaining_ms <= LONG


@scenario()
async def test_an_expired_lease_frees_the_posting(lab: Lab) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket(ttl_ms=SHORT)
    rival = lab.ticket(ticket.posting)
    first = await store.acquire(ticket)

    async def acquired() -> Answer | None:
        answer = await other.acquire(rival)
        return answer if answer.ok else None

    second = await lab.until("the posting of an expired lease could be acquired", acquired)
    assert second is not None
    assert second.token > first.token


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario()
async def test_an_expired_lease_is_lost(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=SHORT)
    token = (await store.acquire(ticket)).token
    await lab.expired(store, ticket.posting)
    assert (await call(store, verb, ticket, token)).verdict is Verdict.LOST
    assert await store.inspect(ticket.posting) == (None, None)


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario()
async def test_only_the_holder_is_answered_ok(lab: Lab, verb: str) -> None:
    store, other = await lab.opened(), await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    stranger = lab.ticket(ticket.posting)
    assert (await call(other, verb, stranger, token)).verdict is Verdict.LOST
    assert (await call(store, verb, ticket, token)).ok


@pytest.mark.parametrize("verb", HOLDERS_ONLY)
@scenario()
async def test_a_free_posting_has_no_holder(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    assert (await call(store, verb, ticket)).verdict is Verdict.LOST
    assert await store.inspect(ticket.posting) == (None, None)


@scenario()
async def test_renewing_sets_the_ttl_anew(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=LONG)
    assert (await store.acquire(ticket)).ok
    assert (await store.renew(ticket._replace(ttl_ms=4 * LONG))).ok
    lease = (await store.inspect(ticket.posting)).lease
    assert lease is not None
    assert LONG < lease.remaining_ms <= 4 * LONG


@scenario()
async def test_confirming_raises_the_counter_to_the_token(lab: Lab) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    confirmed = await store.confirm(ticket, token + 1000)
    assert confirmed == (Verdict.OK, token + 1000, confirmed.remaining_ms)
    assert (await store.acquire(lab.ticket())).token > token + 1000
