"""A bucket that restarted, was wiped, or belonged to its clients: planted, blessed, taken over."""

from __future__ import annotations

import asyncio
import time

import pytest

from bidlock import ConfigurationError
from bidlock.backend import SelfMeta, Verdict
from bidlock.migration.port import Constitution, Outcome
from bidlock_redis import scripts

EPOCH, INCARNATION = (7 << 32) | 9, 3

pytestmark = [pytest.mark.servers, pytest.mark.slow]


async def restarted(store):
    """Kill the server and start it again."""
    store.server.kill()
    await asyncio.to_thread(store.server.restart)
    await store.target.open()


# -- plant


async def test_a_restart_has_one_name_however_often_it_is_asked_for(store):
    second = await store.controller()
    assert [await target.plant(0) for target in (store.target, second, store.target)] == [Outcome.OK] * 3
    nonces = {(await target.survey(EPOCH))[0].quarantine.nonce for target in (store.target, second)}
    assert len(nonces) == 1


async def test_each_restart_has_a_name_of_its_own(own_store):
    first = await own_store.plant()
    await restarted(own_store)
    assert (await own_store.look()).quarantine is None
    assert await own_store.plant() != first


async def test_a_plant_carries_the_servers_time(store):
    before = store.now_ms()
    await store.plant()
    assert before <= (await store.look()).quarantine.since_ms <= store.now_ms()


@pytest.mark.parametrize(
    ("modes", "owner", "outcome"),
    [
        (("only",), "fleet-1", Outcome.LIVE),
        ((), "fleet-1", Outcome.OK),
        ((), "self", Outcome.OWNER),
        (("only",), "self", Outcome.OWNER),
    ],
    ids=["a window is open", "every window is closed", "nobody's fleet", "nobody's fleet, open"],
)
async def test_what_is_planted_in_a_bucket_that_has_a_meta(store, modes, owner, outcome):
    await store.opened(*modes)
    store.write(owner=owner)
    assert await store.target.plant(0) is outcome
    assert ((await store.look()).quarantine is not None) is (outcome is Outcome.OK)


async def test_a_controller_that_knows_its_owner_plants_in_no_other(store):
    await store.opened()
    assert await (await store.controller(owner="fleet-2")).plant(0) is Outcome.OWNER
    assert await (await store.controller(owner="fleet-1")).plant(0) is Outcome.OK


async def test_clients_do_not_open_for_themselves_what_a_controller_has_planted(store):
    await store.plant()
    client = await store.client("self")
    assert not await client.open_self(SelfMeta("only", 3_600_000, 5_000))


# -- bless


async def test_blessing_writes_everything(store):
    store.server.command("SET", store.key("ctr"), 5)
    before = store.now_ms()
    assert await store.bless(0, "", "dual", "strict", seal="a" * 32, kept=False, watermark_ms=1_800_000_000_000) is Outcome.OK

    seen, meta = await store.look(), store.meta()
    assert (seen.running, seen.incarnation, seen.epoch, seen.modes) == (True, 3, EPOCH, {"dual", "strict"})
    assert (seen.domain, seen.sealed, seen.watermark_ms, seen.owner) == ("file-1", "a" * 32, 1_800_000_000_000, "fleet-1")
    assert (seen.counter, seen.quarantine, seen.synced, seen.drained, seen.whole) == (3 << 32, None, False, False, False)
    assert [meta[name] for name in ("format", "buckets", "hash", "ttl_max", "margin")] == ["1", "2", "blake2b-64", "3600000", "60000"]
    assert before <= int(meta["closed_at"]) <= store.now_ms()


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"nonce": "f" * 32}, Outcome.CHANGED),
        ({"incarnation": 3}, Outcome.LIVE),
        ({"epoch": EPOCH - 1}, Outcome.EPOCH),
        ({"owner": "fleet-2"}, Outcome.OWNER),
        ({}, Outcome.OK),
    ],
    ids=["another nonce", "the incarnation that runs", "an older controller", "another owner", "the next incarnation"],
)
async def test_what_is_blessed_in_a_bucket_that_has_a_meta(store, changes, outcome):
    await store.opened()
    await store.plant()
    before = store.dump()
    assert await store.bless(**{"incarnation": 4, **changes}) is outcome
    assert (store.dump() == before) is (outcome is not Outcome.OK)


async def test_a_name_is_good_for_one_blessing(store):
    nonce = await store.plant()
    assert await store.bless(0, nonce) is Outcome.OK
    assert await store.bless(0, nonce, incarnation=4) is Outcome.CHANGED


async def test_the_name_of_a_former_process_is_no_good(own_store):
    nonce = await own_store.plant()
    await restarted(own_store)
    assert await own_store.bless(0, nonce) is Outcome.CHANGED


async def test_a_bucket_of_another_layout_is_not_blessed(store):
    await store.opened()
    store.write(buckets=3)
    nonce = await _planted(store)
    with pytest.raises(ConfigurationError, match="laid out otherwise"):
        await store.bless(0, nonce, incarnation=4)


async def _planted(store):
    await store.target.plant(0)
    return store.server.command("HGET", store.key("quarantine"), "nonce")


@pytest.mark.parametrize(("kept", "whole"), [(True, True), (False, False)])
async def test_a_loss_is_noted_with_its_time(store, kept, whole):
    await store.opened()
    nonce = await store.plant()
    await store.bless(0, nonce, incarnation=4, kept=kept)
    assert (await store.look()).whole is whole


async def test_a_kept_restart_does_not_end_the_wait_for_an_earlier_loss(store):
    await store.opened(kept=False)
    nonce = await store.plant()
    await store.bless(0, nonce, incarnation=4, kept=True)
    assert not (await store.look()).whole


@pytest.mark.parametrize(("counter", "after"), [(0, 3 << 32), ((3 << 32) - 1, 3 << 32), ((3 << 32) + 1, (3 << 32) + 1), (1 << 50, 1 << 50)])
async def test_a_blessing_never_lowers_the_counter(store, counter, after):
    store.server.command("SET", store.key("ctr"), counter)
    await store.bless()
    assert store.server.command("GET", store.key("ctr")) == str(after)


async def test_a_blessing_never_lowers_the_watermark(store):
    await store.opened(watermark_ms=1_800_000_000_000)
    nonce = await store.plant()
    await store.bless(0, nonce, incarnation=4, watermark_ms=1_700_000_000_000)
    assert (await store.look()).watermark_ms == 1_800_000_000_000


@pytest.mark.parametrize(("ttl_max_ms", "after"), [(1000, 3_600_000), (7_200_000, 7_200_000)])
async def test_a_blessing_never_lowers_the_longest_ttl_for_such_leases_may_live(store, ttl_max_ms, after):
    await store.opened("only")
    store.write(run_id="f" * 40)
    await store.bless(0, "", "only", incarnation=INCARNATION + 1, ttl_max_ms=ttl_max_ms)
    assert int(store.meta()["ttl_max"]) == after


async def test_a_blessing_voids_the_stamp_of_an_earlier_copy(store):
    await store.opened()
    await store.target.stamp(await store.target.tail(0), EPOCH, 0, "3")
    assert (await store.look()).synced
    nonce = await store.plant()
    await store.bless(0, nonce, incarnation=4)
    assert not (await store.look()).synced


# -- what a restart does to holders


async def test_a_killed_server_is_open_again_with_its_leases_markers_and_tokens(own_store):
    bidder, rival = await (await own_store.opened("only")).client(), await own_store.client()
    held, claimed = own_store.ticket("1"), own_store.ticket("2")
    token = (await bidder.acquire(held)).token
    assert (await bidder.claim(claimed, (await bidder.acquire(claimed)).token)).ok
    await restarted(own_store)
    await bidder.open()
    await rival.open()
    assert [bucket.running for bucket in await own_store.target.survey(EPOCH)] == [False, False]
    assert (await bidder.renew(held)).verdict is Verdict.CLOSED

    await own_store.opened("only", incarnation=4)

    assert (await bidder.renew(held)).ok
    assert (await rival.acquire(own_store.ticket("1"))).verdict is Verdict.HELD
    assert (await rival.acquire(own_store.ticket("2"))).verdict is Verdict.DONE
    assert (await bidder.claim(held, token)).ok
    assert (await rival.acquire(own_store.ticket("3"))).token > 4 << 32 > token


async def test_a_wiped_server_runs_on_under_its_run_id_and_is_blessed_anew(own_store):
    bidder = await (await own_store.opened("only")).client()
    own_store.server.flush()
    seen = await own_store.look()
    assert (seen.reachable, seen.initialised, seen.counter, seen.quarantine) == (True, False, 0, None)
    assert (await bidder.acquire(own_store.ticket())).verdict is Verdict.CLOSED

    await own_store.opened("only", incarnation=4, kept=False)

    assert (await bidder.acquire(own_store.ticket())).token == (4 << 32) + 1
    assert not (await own_store.look()).whole


# -- take over


def constitution(owner="fleet-1"):
    return Constitution(owner, epoch=1, domain="file-1", ttl_max_ms=60_000, margin_ms=5_000, watermark_ms=7)


async def test_what_clients_kept_for_themselves_goes_over_whole(store):
    client = await store.self_client()
    held, claimed = store.ticket("1"), store.ticket("2")
    await client.acquire(held)
    await client.claim(claimed, (await client.acquire(claimed)).token)

    assert await store.target.take_over(constitution()) is Outcome.OK

    seen = await store.target.survey(1)
    assert {(bucket.owner, bucket.epoch, bucket.domain, bucket.watermark_ms) for bucket in seen} == {("fleet-1", 1, "file-1", 7)}
    assert {bucket.modes for bucket in seen} == {frozenset({"only"})}
    assert (await client.renew(held)).verdict is Verdict.OWNER
    bidder = await store.client()
    verdicts = [(await bidder.acquire(store.ticket(name, posted_at_ms=8))).verdict for name in ("1", "2", "3")]
    assert verdicts == [Verdict.HELD, Verdict.DONE, Verdict.OK]


@pytest.mark.parametrize(("ttl_max_ms", "after"), [(1000, 3_600_000), (7_200_000, 7_200_000)])
async def test_who_takes_over_may_raise_the_longest_ttl_but_not_lower_it(store, ttl_max_ms, after):
    await store.self_client()
    assert await store.target.take_over(Constitution("fleet-1", EPOCH, "file-1", ttl_max_ms, 10)) is Outcome.OK
    assert int(store.meta()["ttl_max"]) == after


async def test_taking_over_what_is_ours_already_changes_nothing(store):
    await store.opened("only")
    before = store.dump()
    assert await store.target.take_over(constitution()) is Outcome.OK
    assert store.dump() == before


async def test_a_crash_between_two_buckets_is_made_good_by_the_next_try(store):
    await store.self_client()
    store.write(0, owner="fleet-1")
    assert await store.target.take_over(constitution()) is Outcome.OK
    assert store.meta(1)["owner"] == "fleet-1"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [({"owner": "fleet-2"}, Outcome.OWNER), ({"run_id": "0" * 40}, Outcome.CLOSED)],
    ids=["somebody else's", "restarted"],
)
async def test_one_bucket_that_does_not_fit_keeps_all_from_being_taken(store, fields, outcome):
    await store.self_client()
    store.write(1, **fields)
    before = store.dump()
    assert await store.target.take_over(constitution()) is outcome
    assert store.dump() == before


async def test_an_empty_store_is_not_taken_over(store):
    assert await store.target.take_over(constitution()) is Outcome.CLOSED
    assert store.dump() == {}


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"owner": "fleet-2"}, b"OWNER"), ({"run_id": "0" * 40}, b"CLOSED"), ({}, b"OK")],
    ids=["somebody else's", "restarted", "as it was seen"],
)
async def test_a_bucket_that_changed_since_it_was_seen_is_not_taken(store, fields, word):
    client = await store.self_client()
    store.write(**fields)
    before, keys = store.dump(), client.keys(0)
    assert await client.run(scripts.TAKEOVER, keys, (keys.meta,), ("fleet-1", 1, "file-1", 0, 0)) == word
    assert (store.dump() == before) is (word != b"OK")


# -- a server that is set otherwise while it runs


async def test_a_look_tells_that_a_server_evicts_or_forgets_from_now_on_and_writes_still_reach_it(own_store):
    await own_store.bless()
    before = await own_store.look()
    own_store.server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    own_store.server.command("CONFIG", "SET", "appendfsync", "everysec")

    after = await own_store.look()
    assert (before.evicts, before.durable, before.doubt) == ("", True, "")
    assert (after.evicts, after.durable) == ("allkeys-lru", False)
    assert "appendfsync everysec" in after.doubt
    assert abs(after.clock_ms / 1000 - time.time()) < 60
    newcomer = await own_store.controller()
    assert await newcomer.seal(0, "s", EPOCH) is Outcome.OK
