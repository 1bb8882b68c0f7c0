"""The guard: a store that is absent, foreign or of another layout answers so, and changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count

import pytest

from bidlock.backend import FORMAT, SELF, Answer, Backend, MarkerState, SelfMeta, Ticket, Verdict
from bidlock.errors import BackendUnavailable
from bidlock.modes import MODES
from bidlock.postings import Posting
from bidlock.testing.lab import TTL_MAX, Lab
from bidlock.testing.scenario import scenario

GUARDED = ("acquire", "confirm", "renew", "claim", "record", "mark")


async def call(backend: Backend, verb: str, ticket: Ticket) -> Answer:
    """Call one of the guarded primitives."""
    further = {"confirm": (1,), "claim": (1,), "mark": (1,), "record": (MarkerState.PLACED,)}
    answer: Answer = await getattr(backend, verb)(ticket, *further.get(verb, ()))
    return answer


def in_bucket_zero(lab: Lab, buckets: int) -> Posting:
    """A posting of the bucket whose meta every client finds."""
    return next(about for number in count() if (about := lab.posting(f"p{number}")).bucket(buckets) == 0)


@pytest.mark.parametrize("mode", list(MODES))
@scenario()
async def test_a_store_admits_its_own_mode_only(lab: Lab, mode: str) -> None:
    store = await lab.opened()
    answer = await store.acquire(lab.ticket(mode=mode))
    assert answer.verdict is (Verdict.OK if mode == lab.mode else Verdict.MODE)


@pytest.mark.parametrize("verb", GUARDED)
@scenario()
async def test_another_mode_is_refused_whatever_it_wants(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    other = ticket._replace(mode="dual" if lab.mode != "dual" else "only")
    assert (await call(store, verb, other)).verdict is Verdict.MODE
    assert (await store.inspect(ticket.posting)).marker is None


@scenario()
async def test_a_release_needs_no_admission(lab: Lab) -> None:
    store, stranger = await lab.opened(), await lab.client(owner="policy-of-others")
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert (await stranger.release(ticket._replace(mode="dual"))).ok
    assert (await store.inspect(ticket.posting)).lease is None


@pytest.mark.parametrize("verb", GUARDED)
@scenario()
async def test_a_client_of_another_owner_is_refused(lab: Lab, verb: str) -> None:
    store, stranger = await lab.opened(), await lab.client(owner="policy-of-others")
    ticket = lab.ticket()
    assert (await store.acquire(ticket)).ok
    assert (await call(stranger, verb, ticket)).verdict is Verdict.OWNER
    assert (await store.inspect(ticket.posting)).marker is None


@pytest.mark.parametrize("verb", GUARDED)
@scenario()
async def test_another_number_of_buckets_is_refused(lab: Lab, verb: str) -> None:
    store, stranger = await lab.opened(), await lab.client(buckets=2)
    ticket = lab.ticket(in_bucket_zero(lab, 2))
    assert (await store.acquire(ticket)).ok
    assert (await call(stranger, verb, ticket)).verdict is Verdict.FORMAT
    assert (await store.inspect(ticket.posting)).marker is None


@scenario()
async def test_no_posting_gets_through_with_another_number_of_buckets(lab: Lab) -> None:
    await lab.opened()
    stranger = await lab.client(buckets=3)
    answers = [await stranger.acquire(lab.ticket()) for _ in range(12)]
    assert {answer.verdict for answer in answers} <= {Verdict.FORMAT, Verdict.CLOSED}


@pytest.mark.parametrize("verb", ["acquire", "renew"])
@scenario()
async def test_a_longer_ttl_than_the_store_grants_is_refused(lab: Lab, verb: str) -> None:
    store = await lab.opened()
    ticket = lab.ticket(ttl_ms=TTL_MAX)
    assert (await store.acquire(ticket)).ok
    assert (await call(store, verb, ticket._replace(ttl_ms=TTL_MAX + 1))).verdict is Verdict.TTL


@pytest.mark.parametrize("verb", GUARDED)
@scenario()
async def test_a_store_that_nobody_initialised_is_closed_and_stays_so(lab: Lab, verb: str) -> None:
    with contextlib.suppress(BackendUnavailable):  # where nothing at all is there, a store may say so instead of CLOSED
        managed = await lab.client(owner="policy-1")
        assert (await call(managed, verb, lab.ticket())).verdict is Verdict.CLOSED
    seen = await (await lab.client()).observe()
    assert (seen.initialised, seen.live) == (False, False)


@scenario()
async def test_an_opened_store_says_what_it_is(lab: Lab) -> None:
    store = await lab.opened()
    before = await store.observe()
    token = (await store.acquire(lab.ticket())).token
    after = await store.observe()
    assert (before.initialised, before.live, before.owner, before.format, before.buckets) == (True, True, SELF, FORMAT, 1)
    assert (before.modes, before.ttl_max_ms, before.margin_ms) == (frozenset({lab.mode}), TTL_MAX, 0)
    assert before.counter < token <= after.counter


@scenario()
async def test_opening_again_changes_nothing(lab: Lab) -> None:
    store, later = await lab.opened(), await lab.client()
    ticket = lab.ticket()
    token = (await store.acquire(ticket)).token
    assert await later.open_self(SelfMeta(mode=lab.mode, ttl_max_ms=1, margin_ms=9))
    assert (await store.confirm(ticket, token)).ok
    seen = await later.observe()
    assert (seen.ttl_max_ms, seen.margin_ms) == (TTL_MAX, 0)


@scenario()
async def test_many_clients_that_open_at_once_share_one_store(lab: Lab) -> None:
    clients = [await lab.client() for _ in range(8)]
    metas = [lab.meta if number == 0 else SelfMeta(lab.mode, TTL_MAX + number, number) for number in range(8)]
    assert all(await asyncio.gather(*(client.open_self(meta) for client, meta in zip(clients, metas, strict=True))))
    seen = [await client.observe() for client in clients]
    assert len({(one.ttl_max_ms, one.margin_ms) for one in seen}) == 1
    about = lab.posting()
    answers = [await client.acquire(lab.ticket(about)) for client in clients]
    assert [answer.verdict for answer in answers] == [Verdict.OK] + [Verdict.HELD] * 7


@scenario()
async def test_who_opens_while_others_bid_already_is_let_in(lab: Lab) -> None:
    async def open_and_bid(client: Backend) -> bool:
        return await client.open_self(lab.meta) and (await client.acquire(lab.ticket())).ok

    clients = [await lab.client() for _ in range(8)]
    assert all(await asyncio.gather(*(open_and_bid(client) for client in clients)))
