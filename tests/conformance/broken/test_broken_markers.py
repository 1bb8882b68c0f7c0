"""Markers, names, guards and wake-ups that are wrong in one way each, and the tests of the kit that must notice."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bidlock.backend import Answer, MarkerRecord, MarkerState, SelfMeta, Verdict
from bidlock.memory import MemoryBackend

pytestmark = pytest.mark.slow

OK = Answer(Verdict.OK)


class ClaimsWithoutALease(MemoryBackend):
    async def claim(self, ticket, token):
        return await self.mark(ticket, token)


class ClaimsOverAMarker(MemoryBackend):
    async def claim(self, ticket, token):
        self.store.markers.pop(ticket.posting.key, None)
        return await super().claim(ticket, token)


class ClaimsOnlyOnce(MemoryBackend):
    async def claim(self, ticket, token):
        return Answer(Verdict.DONE) if ticket.posting.key in self.store.markers else await super().claim(ticket, token)


class ForgetsTheStamp(MemoryBackend):
    async def claim(self, ticket, token):
        return await super().claim(ticket._replace(posted_at_ms=0), token)


class ForgetsMarkersWithTheLease(MemoryBackend):
    def _live_lease(self, key):
        lease = super()._live_lease(key)
        if lease is None:
            self.store.markers.pop(key, None)
        return lease

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        self._live_lease(ticket.posting.key)
        return await super().acquire(ticket, floor=floor, passed_from=passed_from)


class KeepsMarkersToItself(MemoryBackend):
    def __init__(self, config):
        super().__init__(config)
        self.store = replace(self.store, markers={})

    async def close(self):
        self.store.markers.clear()


class AcquiresWhatIsDone(MemoryBackend):
    async def acquire(self, ticket, *, floor=0, passed_from=""):
        kept = self.store.markers.pop(ticket.posting.key, None)
        answer = await super().acquire(ticket, floor=floor, passed_from=passed_from)
        if kept:
            self.store.markers[ticket.posting.key] = kept
        return answer


class ReleasesTheMarkerToo(MemoryBackend):
    async def release(self, ticket):
        self.store.markers.pop(ticket.posting.key, None)
        return await super().release(ticket)


class BreaksTheMarkerToo(MemoryBackend):
    async def break_(self, posting, *, by, reason):
        self.store.markers.pop(posting.key, None)
        return await super().break_(posting, by=by, reason=reason)


class RecordsIntoAnybodysMarker(MemoryBackend):
    async def record(self, ticket, state):
        marker = self.store.markers.get(ticket.posting.key)
        return await super().record(ticket._replace(nonce=marker.nonce) if marker else ticket, state)


class RecordsWithoutAMarker(MemoryBackend):
    async def record(self, ticket, state):
        self.store.markers.setdefault(ticket.posting.key, MarkerRecord(ticket.nonce, 0, state, 0))
        return await super().record(ticket, state)


class RecordsNothing(MemoryBackend):
    async def record(self, ticket, state):
        return await super().record(ticket, MarkerState.CLAIMED)


class MarksOver(MemoryBackend):
    async def mark(self, ticket, token, state=MarkerState.CLAIMED):
        self.store.markers.pop(ticket.posting.key, None)
        return await super().mark(ticket, token, state)


class JoinsIds(MemoryBackend):
    def _named(self, ticket):
        about = ticket.posting
        return ticket._replace(posting=about._replace(key=f"{about.marketplace}:{about.id}"))

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        return await super().acquire(self._named(ticket), floor=floor, passed_from=passed_from)

    async def claim(self, ticket, token):
        return await super().claim(self._named(ticket), token)

    async def release(self, ticket):
        return await super().release(self._named(ticket))


class FoldsCase(MemoryBackend):
    def _named(self, ticket):
        return ticket._replace(posting=ticket.posting._replace(key=ticket.posting.key.lower()))

    async def acquire(self, ticket, *, floor=0, passed_from=""):
        return await super().acquire(self._named(ticket), floor=floor, passed_from=passed_from)


class _Lenient(MemoryBackend):
    forgiven = Verdict.OK

    def _guard(self, ticket):
        refusal = super()._guard(ticket)
        return None if refusal and refusal.verdict is self.forgiven else refusal


class IgnoresTheMode(_Lenient):
    forgiven = Verdict.MODE


class IgnoresTheOwner(_Lenient):
    forgiven = Verdict.OWNER


class IgnoresTheLayout(_Lenient):
    forgiven = Verdict.FORMAT


class IgnoresTheLongestTtl(_Lenient):
    forgiven = Verdict.TTL


class GuardsOnlyAcquire(MemoryBackend):
    async def claim(self, ticket, token):
        return await super().claim(ticket._replace(mode="only"), token)


class GuardsTheRelease(MemoryBackend):
    async def release(self, ticket):
        return self._guard(ticket) or await super().release(ticket)


class InitialisesForAnybody(MemoryBackend):
    async def open(self):
        await self.open_self(SelfMeta("only", 600_000, 0))


class OpensAnew(MemoryBackend):
    async def open_self(self, meta):
        self.store.meta = None
        self.store.leases.clear()
        return await super().open_self(meta)


class OpensInTwoSteps(MemoryBackend):
    async def open_self(self, meta):
        absent = self.store.meta is None
        await asyncio.sleep(0)
        if absent:
            self.store.meta = None
        opened = await super().open_self(meta)
        self.seen = await super().observe()
        return opened

    async def observe(self):
        return getattr(self, "seen", None) or await super().observe()


class ReleasesInSilence(MemoryBackend):
    def _delete_lease(self, key):
        del self.store.leases[key]


class WakesOneOnly(MemoryBackend):
    def _delete_lease(self, key):
        del self.store.leases[key]
        for event in list(self.store.waiters.get(key, ()))[:1]:
            event.set()


class SubscribesWhenItWaits(MemoryBackend):
    @asynccontextmanager
    async def wakeups(self, posting):
        outer = super()

        class Late:
            async def wait(self, timeout):
                async with outer.wakeups(posting) as wakeups:
                    await wakeups.wait(timeout)

        yield Late()


class WaitsForEver(MemoryBackend):
    @asynccontextmanager
    async def wakeups(self, posting):
        async with super().wakeups(posting) as wakeups:

            class Endless:
                async def wait(self, timeout):
                    await wakeups.wait(1e6)

            yield Endless()


CATCHES = [
    (ClaimsWithoutALease, "test_a_free_posting_has_no_holder"),
    (ClaimsWithoutALease, "test_an_expired_lease_is_lost"),
    (ClaimsWithoutALease, "test_who_was_broken_has_lost_its_lease"),
    (ClaimsOverAMarker, "test_a_holder_does_not_overwrite_a_marker_that_came_meanwhile"),
    (ClaimsOnlyOnce, "test_claiming_again_is_agreed_to"),
    (ForgetsTheStamp, "test_a_claim_writes_down_who_claimed_and_under_which_token"),
    (ForgetsMarkersWithTheLease, "test_a_marker_does_not_expire_with_its_lease"),
    (KeepsMarkersToItself, "test_a_client_that_comes_later_sees_the_marker"),
    (AcquiresWhatIsDone, "test_a_claimed_posting_is_done_after_its_release"),
    (ReleasesTheMarkerToo, "test_a_claimed_posting_is_done_after_its_release"),
    (ReleasesTheMarkerToo, "test_of_many_attempts_one_claims"),
    (BreaksTheMarkerToo, "test_a_break_never_removes_a_marker"),
    (RecordsIntoAnybodysMarker, "test_nobody_records_into_the_marker_of_another"),
    (RecordsWithoutAMarker, "test_without_a_marker_there_is_nothing_to_record"),
    (RecordsNothing, "test_what_became_of_the_bid_is_recorded"),
    (MarksOver, "test_the_first_mark_stays"),
    (JoinsIds, "test_two_ids_never_share_a_marker"),
    (FoldsCase, "test_two_ids_never_share_a_lease"),
    (IgnoresTheMode, "test_a_store_admits_its_own_mode_only"),
    (IgnoresTheOwner, "test_a_client_of_another_owner_is_refused"),
    (IgnoresTheLayout, "test_another_number_of_buckets_is_refused"),
    (IgnoresTheLongestTtl, "test_a_longer_ttl_than_the_store_grants_is_refused"),
    (GuardsOnlyAcquire, "test_another_mode_is_refused_whatever_it_wants"),
    (GuardsTheRelease, "test_a_release_needs_no_admission"),
    (InitialisesForAnybody, "test_a_store_that_nobody_initialised_is_closed_and_stays_so"),
    (OpensAnew, "test_opening_again_changes_nothing"),
    (OpensInTwoSteps, "test_many_clients_that_open_at_once_share_one_store"),
    (ReleasesInSilence, "test_a_release_wakes_who_waits"),
    (WakesOneOnly, "test_a_release_wakes_every_waiter"),
    (SubscribesWhenItWaits, "test_a_release_between_subscribing_and_waiting_is_not_missed"),
    (WaitsForEver, "test_waiting_ends_after_the_timeout"),
    (WaitsForEver, "test_who_subscribes_after_the_release_does_not_hang"),
]


@pytest.mark.parametrize(("broken", "name"), CATCHES, ids=lambda value: getattr(value, "__name__", value))
def test_the_kit_catches_it(caught, broken, name):
    assert caught(broken, name)


@pytest.mark.parametrize("name", sorted({name for _, name in CATCHES}))
def test_a_sound_backend_passes(caught, name):
    assert not caught(MemoryBackend, name)
