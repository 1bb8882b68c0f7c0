"""Leases that are wrong in one way each, and the tests of the kit that must notice."""

import asyncio
import time

import pytest

from bidlock.backend import Answer, Inspection, Verdict
from bidlock.memory import MemoryBackend

pytestmark = pytest.mark.slow

OK = Answer(Verdict.OK)


class NeverHeld(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        self.store.leases.pop(ticket.posting.key, None)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class LooksThenWaitsThenTakes(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        free = self._live_lease(ticket.posting.key) is None
        await asyncio.sleep(0)
        if free:
            self.store.leases.pop(ticket.posting.key, None)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class RepeatsTokens(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        self.store.counter = 0
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class CountsPerClient(MemoryBackend):
    counter = 0

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        self.store.counter = self.counter
        answer = await super().acquire(ticket, floor=floor, passed_from=passed_from)
        self.counter = self.store.counter
        return answer


class IgnoresTheFloor(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        return await super().acquire(ticket, passed_from=passed_from)


class RefusesToRepeat(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        lease = self._live_lease(ticket.posting.key)
        if lease and lease.nonce == ticket.nonce:
            return Answer(Verdict.HELD, remaining_ms=1)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class RepeatsWithoutExtending(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        lease = self._live_lease(ticket.posting.key)
        if lease and lease.nonce == ticket.nonce:
            return Answer(Verdict.OK, lease.token)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class PassesOnAnybodysLease(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        if passed_from:
            self.store.leases.pop(ticket.posting.key, None)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class PassesNothingOn(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        return await super().acquire(ticket, floor=floor)


class PassesTheTokenOn(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        lease = self._live_lease(ticket.posting.key)
        if lease and lease.nonce == passed_from:
            lease.nonce = ticket.nonce
            return Answer(Verdict.OK, lease.token)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class TakesMillisecondsForSeconds(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        answer = await super().acquire(ticket, floor=floor, passed_from=passed_from)
        if answer.ok:
            self.store.leases[ticket.posting.key].expires = time.monotonic() + ticket.ttl_ms
        return answer


class NeverExpires(MemoryBackend):
    def _live_lease(self, key):
        return self.store.leases.get(key)


class RenewsForAnybody(MemoryBackend):
    async def renew(self, ticket):
        return OK if self._live_lease(ticket.posting.key) else Answer(Verdict.LOST)


class RevivesWhatExpired(MemoryBackend):
    async def renew(self, ticket):
        lease = self.store.leases.get(ticket.posting.key)
        if lease and lease.nonce == ticket.nonce:
            lease.expires = time.monotonic() + ticket.ttl_ms / 1000
        return await super().renew(ticket)

    async def inspect(self, posting):
        lease = self.store.leases.get(posting.key)
        return Inspection(None, None) if lease and lease.expires <= time.monotonic() else await super().inspect(posting)


class RenewsWithoutEffect(MemoryBackend):
    async def renew(self, ticket):
        return self._guard(ticket) or self._refused_unless_mine(ticket) or OK


class ConfirmsEverything(MemoryBackend):
    async def confirm(self, ticket, token):
        return Answer(Verdict.OK, token)


class ConfirmsWithoutCounting(MemoryBackend):
    async def confirm(self, ticket, token):
        return self._guard(ticket) or self._refused_unless_mine(ticket) or Answer(Verdict.OK, token)


class ReleasesAnybodysLease(MemoryBackend):
    async def release(self, ticket):
        self.store.leases.pop(ticket.posting.key, None)
        return OK


class ReleasesNothing(MemoryBackend):
    async def release(self, ticket):
        return self._refused_unless_mine(ticket) or OK


class BreaksWithoutFencing(MemoryBackend):
    async def break_(self, posting, *, by, reason):
        broken = await super().break_(posting, by=by, reason=reason)
        self.evicted = broken.nonce if broken else ""
        return broken

    async def renew(self, ticket):
        return OK if ticket.nonce == getattr(self, "evicted", "") else await super().renew(ticket)


class BreaksWithoutCounting(MemoryBackend):
    async def break_(self, posting, *, by, reason):
        broken = await super().break_(posting, by=by, reason=reason)
        self.store.counter -= bool(broken)
        return broken


class BreaksNothing(MemoryBackend):
    async def break_(self, posting, *, by, reason):
        return (await self.inspect(posting)).lease


class ShowsNoHolder(MemoryBackend):
    async def inspect(self, posting):
        return Inspection(None, self.store.markers.get(posting.key))


class ShowsAnotherToken(MemoryBackend):
    async def inspect(self, posting):
        lease, marker = await super().inspect(posting)
        return Inspection(lease and lease._replace(token=lease.token + 1), marker)


class FreesByLooking(MemoryBackend):
    async def inspect(self, posting):
        seen = await super().inspect(posting)
        self.store.leases.pop(posting.key, None)
        return seen


class ReleasesOnlyWhatItRemembers(MemoryBackend):
    """Remembers after the await, so that a cancelled acquire leaks its lease."""

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        answer = await super().acquire(ticket, floor=floor, passed_from=passed_from)
        await asyncio.sleep(0)
        self.remembered = {*getattr(self, "remembered", ()), ticket.nonce}
        return answer

    async def release(self, ticket):
        return await super().release(ticket) if ticket.nonce in getattr(self, "remembered", ()) else Answer(Verdict.LOST)


class StaysLockedWhenCancelled(MemoryBackend):
    busy = False

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        while self.busy:
            await asyncio.sleep(0.01)
        self.busy = True
        await asyncio.sleep(0)
        self.busy = False
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


CATCHES = [
    (NeverHeld, "test_one_posting_has_one_holder"),
    (NeverHeld, "test_an_unprotected_counter_loses_no_step"),
    (NeverHeld, "test_no_two_holders_believe_at_the_same_time"),
    (NeverHeld, "test_the_store_answers_as_the_model_does"),
    (LooksThenWaitsThenTakes, "test_of_many_that_ask_at_once_one_holds"),
    (LooksThenWaitsThenTakes, "test_an_unprotected_counter_loses_no_step"),
    (RepeatsTokens, "test_tokens_rise_from_holder_to_holder"),
    (RepeatsTokens, "test_no_two_holders_believe_at_the_same_time"),
    (RepeatsTokens, "test_the_store_answers_as_the_model_does"),
    (CountsPerClient, "test_tokens_rise_from_holder_to_holder"),
    (IgnoresTheFloor, "test_a_token_is_never_below_the_floor"),
    (RefusesToRepeat, "test_asking_again_is_no_second_holder"),
    (RefusesToRepeat, "test_one_attempt_that_asks_many_times_at_once_holds"),
    (RepeatsWithoutExtending, "test_asking_again_sets_the_ttl_anew"),
    (PassesOnAnybodysLease, "test_only_the_named_lease_is_passed_on"),
    (PassesNothingOn, "test_a_passed_lease_changes_hands_under_a_new_token"),
    (PassesTheTokenOn, "test_a_passed_lease_changes_hands_under_a_new_token"),
    (TakesMillisecondsForSeconds, "test_held_says_when_the_lease_ends"),
    (TakesMillisecondsForSeconds, "test_a_look_shows_who_holds_the_posting"),
    (NeverExpires, "test_an_expired_lease_frees_the_posting"),
    (RenewsForAnybody, "test_only_the_holder_is_answered_ok"),
    (RevivesWhatExpired, "test_an_expired_lease_is_lost"),
    (RenewsWithoutEffect, "test_renewing_sets_the_ttl_anew"),
    (ConfirmsEverything, "test_only_the_holder_is_answered_ok"),
    (ConfirmsEverything, "test_a_free_posting_has_no_holder"),
    (ConfirmsEverything, "test_who_was_broken_has_lost_its_lease"),
    (ConfirmsWithoutCounting, "test_confirming_raises_the_counter_to_the_token"),
    (ReleasesAnybodysLease, "test_a_release_never_ends_the_lease_of_another"),
    (ReleasesAnybodysLease, "test_a_late_release_does_not_end_the_lease_of_the_successor"),
    (ReleasesNothing, "test_a_release_frees_at_once"),
    (BreaksWithoutFencing, "test_who_was_broken_has_lost_its_lease"),
    (BreaksWithoutCounting, "test_the_token_after_a_break_is_higher"),
    (BreaksNothing, "test_a_break_tells_whose_lease_it_was_and_frees_the_posting"),
    (ShowsNoHolder, "test_a_look_shows_who_holds_the_posting"),
    (ShowsAnotherToken, "test_a_look_shows_who_holds_the_posting"),
    (FreesByLooking, "test_a_look_changes_nothing"),
    (ReleasesOnlyWhatItRemembers, "test_a_release_undoes_a_cancelled_acquire"),
    (StaysLockedWhenCancelled, "test_a_client_works_on_after_a_cancellation"),
]


@pytest.mark.parametrize(("broken", "name"), CATCHES, ids=lambda value: getattr(value, "__name__", value))
def test_the_kit_catches_it(caught, broken, name):
    assert caught(broken, name)


@pytest.mark.parametrize("name", sorted({name for _, name in CATCHES}))
def test_a_sound_backend_passes(caught, name):
    assert not caught(MemoryBackend, name)
