"""Histories: random work by several clients, checked against a model and against what holders believed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import hypothesis
from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from bidlock.backend import Backend, MarkerState, Ticket, Verdict
from bidlock.postings import Posting
from bidlock.testing.history import Interval, check
from bidlock.testing.lab import LONG, PATIENCE, Lab
from bidlock.testing.scenario import scenario

CLIENTS = 3
POSTINGS = 3
ATTEMPTS = 4
"""Attempts per posting that take turns in the state machine."""


class Worker:
    """One client that acquires, works, and now and then stops believing without a release."""

    def __init__(self, lab: Lab, store: Backend, number: int) -> None:
        self._lab = lab
        self._store = store
        self._holder = f"worker-{number}"
        self.history: list[Interval] = []

    async def run(self, postings: list[Posting], rounds: int) -> None:
        """Attempt so often, each time one of the postings."""
        for _ in range(rounds):
            await self._attempt(self._lab.random.choice(postings))

    async def _attempt(self, about: Posting) -> None:
        ttl = self._lab.random.choice((40, 150))
        ticket = self._lab.ticket(about, ttl_ms=ttl, holder=self._holder)
        sent = time.monotonic()
        answer = await self._store.acquire(ticket)
        if not answer.ok:
            await asyncio.sleep(self._lab.random.uniform(0, 0.01))
            return
        start, deadline = time.monotonic(), sent + ttl / 1000
        claimed = await self._work(ticket, answer.token)
        end = min(time.monotonic(), deadline)
        if start < end:
            self.history.append(Interval(about.key, self._holder, answer.token, start, end, claimed))
        if self._lab.random.random() < 0.8:  # the others leave it to expiry, as a crash would
            await self._store.release(ticket)

    async def _work(self, ticket: Ticket, token: int) -> bool:
        await asyncio.sleep(self._lab.random.uniform(0, 0.06))
        return self._lab.random.random() < 0.03 and (await self._store.claim(ticket, token)).ok


@scenario()
async def test_no_two_holders_believe_at_the_same_time(lab: Lab) -> None:
    workers = [Worker(lab, await lab.opened(), number) for number in range(4)]
    postings = [lab.posting() for _ in range(POSTINGS)]
    async with asyncio.timeout(3 * PATIENCE):
        await asyncio.gather(*(worker.run(postings, 30) for worker in workers))
    history = [interval for worker in workers for interval in worker.history]
    assert history
    assert [str(finding) for finding in check(history)] == []


class Model(RuleBasedStateMachine):
    """What the store must answer, whatever is asked in whatever order."""

    def __init__(self, lab: Lab, loop: asyncio.AbstractEventLoop, clients: list[Backend]) -> None:
        super().__init__()
        self._lab, self._loop, self._clients = lab, loop, clients
        self._postings = [lab.posting() for _ in range(POSTINGS)]
        self._tickets = [[lab.ticket(about) for _ in range(ATTEMPTS)] for about in self._postings]
        self._leases: dict[str, str] = {}
        self._markers: dict[str, tuple[str, MarkerState]] = {}
        self._tokens: dict[str, int] = {}

    client = strategies.integers(0, CLIENTS - 1)
    posting = strategies.integers(0, POSTINGS - 1)
    attempt = strategies.integers(0, ATTEMPTS - 1)

    @rule(client=client, posting=posting, attempt=attempt)
    def acquire(self, client: int, posting: int, attempt: int) -> None:
        """OK when free or its own, and then under a token that was never seen before."""
        ticket = self._tickets[posting][attempt]
        key, holder = ticket.posting.key, self._leases.get(ticket.posting.key)
        answer = self._do(self._clients[client].acquire(ticket))
        expected = Verdict.DONE if key in self._markers else Verdict.OK if holder in (None, ticket.nonce) else Verdict.HELD
        assert answer.verdict is expected
        if answer.ok:
            assert answer.token > self._tokens.get(key, 0) or (holder and answer.token == self._tokens[key])
            self._leases[key], self._tokens[key] = ticket.nonce, answer.token

    @rule(client=client, posting=posting, giver=attempt, taker=attempt)
    def pass_on(self, client: int, posting: int, giver: int, taker: int) -> None:
        """OK when the named attempt holds it, or nobody."""
        giving, ticket = self._tickets[posting][giver], self._tickets[posting][taker]
        key, holder = ticket.posting.key, self._leases.get(ticket.posting.key)
        answer = self._do(self._clients[client].acquire(ticket, passed_from=giving.nonce))
        free = holder in (None, ticket.nonce, giving.nonce)
        assert answer.verdict is (Verdict.DONE if key in self._markers else Verdict.OK if free else Verdict.HELD)
        if answer.ok:
            assert answer.token > self._tokens.get(key, 0) or holder == ticket.nonce
            self._leases[key], self._tokens[key] = ticket.nonce, answer.token

    @rule(client=client, posting=posting, attempt=attempt)
    def renew(self, client: int, posting: int, attempt: int) -> None:
        """OK for the holder."""
        ticket = self._tickets[posting][attempt]
        mine = self._leases.get(ticket.posting.key) == ticket.nonce
        assert self._do(self._clients[client].renew(ticket)).verdict is (Verdict.OK if mine else Verdict.LOST)

    @rule(client=client, posting=posting, attempt=attempt)
    def confirm(self, client: int, posting: int, attempt: int) -> None:
        """OK for the holder."""
        ticket = self._tickets[posting][attempt]
        mine = self._leases.get(ticket.posting.key) == ticket.nonce
        answer = self._do(self._clients[client].confirm(ticket, self._tokens.get(ticket.posting.key, 0)))
        assert answer.verdict is (Verdict.OK if mine else Verdict.LOST)

    @rule(client=client, posting=posting, attempt=attempt, luck=strategies.integers(0, 3))
    def claim(self, client: int, posting: int, attempt: int, luck: int) -> None:
        """OK for the holder, and for ever for who claimed."""
        ticket = self._tickets[posting][attempt]
        key = ticket.posting.key
        mine = self._leases.get(key) == ticket.nonce
        if mine and luck and key not in self._markers:
            return  # a claim ends a posting's story; let most stories go on for a while
        answer = self._do(self._clients[client].claim(ticket, self._tokens.get(key, 0)))
        if key in self._markers:
            assert answer.verdict is (Verdict.OK if self._markers[key][0] == ticket.nonce else Verdict.DONE)
        else:
            assert answer.verdict is (Verdict.OK if mine else Verdict.LOST)
        if answer.ok:
            self._markers.setdefault(key, (ticket.nonce, MarkerState.CLAIMED))

    @rule(client=client, posting=posting, attempt=attempt, state=strategies.sampled_from([MarkerState.PLACED, MarkerState.UNKNOWN]))
    def record(self, client: int, posting: int, attempt: int, state: MarkerState) -> None:
        """OK for who claimed."""
        ticket = self._tickets[posting][attempt]
        key = ticket.posting.key
        mine = key in self._markers and self._markers[key][0] == ticket.nonce
        assert self._do(self._clients[client].record(ticket, state)).verdict is (Verdict.OK if mine else Verdict.LOST)
        if mine:
            self._markers[key] = (ticket.nonce, state)

    @rule(client=client, posting=posting, attempt=attempt)
    def release(self, client: int, posting: int, attempt: int) -> None:
        """Ends the lease of the one who releases, and no other."""
        ticket = self._tickets[posting][attempt]
        self._do(self._clients[client].release(ticket))
        if self._leases.get(ticket.posting.key) == ticket.nonce:
            del self._leases[ticket.posting.key]

    @rule(client=client, posting=posting)
    def expire(self, client: int, posting: int) -> None:
        """The holder renews for a moment only, and is not heard of again."""
        key = self._postings[posting].key
        for ticket in self._tickets[posting]:
            if self._leases.get(key) == ticket.nonce:
                assert self._do(self._clients[client].renew(ticket._replace(ttl_ms=1))).ok
                self._do(self._lab.expired(self._clients[client], ticket.posting))
                del self._leases[key]
                return

    @rule(client=client, posting=posting)
    def break_(self, client: int, posting: int) -> None:
        """Ends whatever lease there is."""
        about = self._postings[posting]
        broken = self._do(self._clients[client].break_(about, by="model", reason="rule"))
        assert (broken.nonce if broken else None) == self._leases.pop(about.key, None)

    @rule(client=client, posting=posting)
    def inspect(self, client: int, posting: int) -> None:
        """Shows what the model knows."""
        about = self._postings[posting]
        lease, marker = self._do(self._clients[client].inspect(about))
        assert (lease.nonce if lease else None) == self._leases.get(about.key)
        assert not lease or (lease.token == self._tokens[about.key] and 0 < lease.remaining_ms <= LONG)
        assert ((marker.nonce, marker.state) if marker else None) == self._markers.get(about.key)

    def _do(self, primitive: Any) -> Any:
        return self._loop.run_until_complete(primitive)


def test_the_store_answers_as_the_model_does(bidlock_lab: Lab) -> None:
    settings = hypothesis.settings(
        max_examples=15,
        stateful_step_count=30,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with asyncio.Runner() as runner:
        clients = [runner.run(bidlock_lab.opened()) for _ in range(CLIENTS)]

        @hypothesis.seed(bidlock_lab.seed)
        def machine() -> Model:
            return Model(bidlock_lab, runner.get_loop(), clients)

        try:
            run_state_machine_as_test(machine, settings=settings)  # type: ignore[arg-type]  # any factory will do, says its documentation
        finally:
            runner.run(bidlock_lab.__aexit__(None, None, None))
