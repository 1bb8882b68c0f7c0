"""Markers, counters and watermarks on their way into buckets and out of them."""

from __future__ import annotations

import pytest

from bidlock import postings
from bidlock.addresses import parse
from bidlock.backend import MarkerRecord, MarkerState, Verdict
from bidlock.errors import BackendAmbiguous
from bidlock.migration.port import MarkerRow, Outcome, Tail
from bidlock.postings import posting

EPOCH = (7 << 32) | 9

pytestmark = pytest.mark.servers

STATES = list(MarkerState)


def rows(count):
    """Markers with large tokens and stamps, and keys of every kind."""
    names = ("~01{}", "süß {}", "a:b:{}", "{} " * 80)
    return [
        MarkerRow(
            posting("upwork", names[number % 4].replace("{}", str(number))).key,
            f"{number:032x}",
            (5 << 32) + number,
            STATES[number % 5],
            1_800_000_000_000 + number,
        )
        for number in range(count)
    ]


async def everything(target, bucket):
    return [row async for chunk in target.copy_out(bucket) for row in chunk]


async def test_ten_thousand_markers_go_in_and_come_out_as_they_were(store):
    target, given = (await store.opened()).target, rows(10_000)
    for bucket in (0, 1):
        assert await target.copy_in(given, bucket, "3") is Outcome.OK

    found = [await everything(target, bucket) for bucket in (0, 1)]

    assert sorted(found[0] + found[1]) == sorted(given)
    assert min(map(len, found)) > 4_000


async def test_markers_come_out_in_small_chunks_however_full_the_shards_are(store):
    target = (await store.opened()).target
    for shard in range(20):
        fields = [word for number in range(150) for word in (f"upwork:{shard}-{number}", f"{number:032x}|{number}|c|0")]
        store.server.command("HSET", store.key(f"markers:{shard:04x}"), *fields)
    assert [len(chunk) async for chunk in target.copy_out(0)] == [600] * 5


async def test_an_empty_bucket_gives_nothing(store):
    assert await everything((await store.opened()).target, 0) == []


async def test_other_keys_of_the_bucket_are_no_markers(store):
    bidder = await (await store.opened("only")).client()
    held, claimed = store.ticket("1"), store.ticket("2")
    await bidder.acquire(held)
    token = (await bidder.acquire(claimed)).token
    await bidder.claim(claimed, token)

    found = await everything(store.target, 0) + await everything(store.target, 1)

    assert found == [MarkerRow(claimed.posting.key, claimed.nonce, token, MarkerState.CLAIMED, 0)]


async def test_bidders_find_what_was_copied_in(store):
    target, bidder = (await store.opened("only")).target, await store.client()
    ticket = store.ticket("1")
    row = MarkerRow(ticket.posting.key, "", (5 << 32) + 1, MarkerState.PRESUMED, 7)
    for bucket in (0, 1):
        await target.copy_in([row], bucket, "3")

    assert (await bidder.acquire(ticket)).verdict is Verdict.DONE
    assert (await bidder.inspect(ticket.posting)).marker == MarkerRecord(*row[1:])


async def test_a_marker_that_is_there_stays_as_it_is(store):
    target = (await store.opened()).target
    first = rows(100)
    again = [row._replace(nonce="f" * 32, state=MarkerState.REJECTED) for row in first]
    for given in (first, again):
        for bucket in (0, 1):
            assert await target.copy_in(given, bucket, "3") is Outcome.OK
    assert sorted(await everything(target, 0) + await everything(target, 1)) == sorted(first)


async def test_rows_of_other_buckets_alone_write_nothing(store):
    target = (await store.opened()).target
    strangers = [row for row in rows(50) if _bucket(row) == 1]
    before = store.dump()
    assert await target.copy_in(strangers, 0, "3") is Outcome.OK
    assert store.dump() == before


def _bucket(row):
    return postings.digest(row.key) % 2


@pytest.mark.parametrize(
    ("own", "given", "after"),
    [(5, 1 << 40, 1 << 40), (1 << 50, 1 << 40, 1 << 50), ((1 << 50) + 1, (1 << 50) + 3, (1 << 50) + 3)],
    ids=["raised", "kept", "to the last digit"],
)
async def test_a_stamp_raises_the_counter_and_never_lowers_it(store, own, given, after):
    target = (await store.opened("only")).target
    store.server.command("SET", store.key("ctr"), own)
    assert await target.stamp(Tail(given, 0), EPOCH, 0, "3") is Outcome.OK
    assert (await target.tail(0)).counter == after
    assert store.server.command("INCR", store.key("ctr")) == after + 1


@pytest.mark.parametrize(("given", "after"), [(1_800_000_000_000, 1_800_000_000_000), (5, 1_700_000_000_000), (0, 1_700_000_000_000)])
async def test_a_stamp_raises_the_watermark_and_never_lowers_it(store, given, after):
    target = (await store.opened(watermark_ms=1_700_000_000_000)).target
    await target.stamp(Tail(0, given), EPOCH, 0, "3")
    assert (await target.tail(0)).watermark_ms == after


async def test_a_stamp_is_for_one_epoch_and_one_bucket(store):
    target = (await store.opened()).target
    assert not (await store.look(0)).synced
    await target.stamp(Tail(0, 0), EPOCH, 0, "3")
    assert [(await store.look(bucket, epoch)).synced for bucket, epoch in ((0, EPOCH), (0, EPOCH + 1), (1, EPOCH))] == [True, False, False]


async def test_a_stamp_counts_only_when_the_replicas_have_it(store):
    await store.opened()
    address = parse(f"{store.server.url}?prefix={store.prefix}&wait_replicas=1")
    lonely = await store.controller(address=address)
    with pytest.raises(BackendAmbiguous, match="0 of 1 replicas"):
        await lonely.stamp(Tail(0, 0), EPOCH, 0, "3")
