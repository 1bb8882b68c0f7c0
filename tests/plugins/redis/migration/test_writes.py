"""What each write of a controller does to a bucket, and what refuses it."""

from __future__ import annotations

import pytest

from bidlock import ConfigurationError
from bidlock.addresses import parse
from bidlock.backend import Verdict
from bidlock.migration.port import MarkerRow, Outcome, Tail
from bidlock.postings import posting
from bidlock_redis.testing.servers import Server

EPOCH = (7 << 32) | 9

pytestmark = [pytest.mark.servers, pytest.mark.slow]

WINDOWS = {
    "fence": lambda target, epoch: target.fence(frozenset({"only", "primary"}), epoch, 1),
    "open": lambda target, epoch: target.open_mode("strict", epoch, 1),
    "close": lambda target, epoch: target.close_mode("only", epoch, 1),
    "adopt": lambda target, epoch: target.adopt(1, "file-2", epoch),
    "seal": lambda target, epoch: target.seal(1, "b" * 32, epoch),
    "stamp": lambda target, epoch: target.stamp(Tail(1 << 40, 5), epoch, 1, "3"),
}
"""Writes that an older controller may not make."""

SEALED = {"reopen": lambda target, epoch: target.reopen(1, "a" * 32, frozenset({"only"}), epoch)}
"""The one that needs a seal, which stands in the bucket."""

AGELESS = {
    "watermark": lambda target, epoch: target.raise_watermark(1_800_000_000_000, epoch, 1),
    "copy in": lambda target, epoch: target.copy_in([row(number) for number in range(8)], 1, "3"),
}
"""Writes that only ever add."""

EVERY = {**WINDOWS, **SEALED, **AGELESS}


def row(number):
    return MarkerRow(posting("upwork", str(number)).key, f"{number:032x}", number, "claimed", 0)


def table(verbs):
    return pytest.mark.parametrize("write", verbs.values(), ids=verbs)


async def ready(store, write):
    """A bucket in which the write would be done."""
    await store.opened("only")
    if write in SEALED.values():
        store.write(1, sealed="a" * 32, modes="")
    return store.target


@table(EVERY)
async def test_a_write_is_done_and_may_be_repeated_under_a_later_epoch(store, write):
    target = await ready(store, write)
    before = store.dump()
    assert await write(target, EPOCH + 1) is Outcome.OK
    assert store.dump() != before
    if write not in SEALED.values():
        assert await write(target, EPOCH + 1) is Outcome.OK


@table(EVERY)
async def test_a_write_leaves_the_other_bucket_alone(store, write):
    target = await ready(store, write)
    before = store.meta(0)
    await write(target, EPOCH + 1)
    assert store.meta(0) == before


@table({**WINDOWS, **SEALED})
async def test_an_older_controller_changes_nothing(store, write):
    target = await ready(store, write)
    before = store.dump()
    assert await write(target, EPOCH - 1) is Outcome.EPOCH
    assert store.dump() == before


@table({**WINDOWS, **SEALED})
async def test_every_write_locks_older_controllers_out(store, write):
    target = await ready(store, write)
    await write(target, EPOCH + 1)
    assert store.meta(1)["epoch"] == str(EPOCH + 1)
    assert await target.fence(frozenset(), EPOCH, 1) is Outcome.EPOCH


@table(EVERY)
@pytest.mark.parametrize(
    ("field", "value", "outcome"),
    [("run_id", "0" * 40, Outcome.CLOSED), ("owner", "self", Outcome.OWNER)],
    ids=["restarted", "nobody's fleet"],
)
async def test_a_bucket_that_is_not_open_to_a_controller_is_left_as_it_is(store, write, field, value, outcome):
    target = await ready(store, write)
    store.write(1, **{field: value})
    before = store.dump()
    assert await write(target, EPOCH + 1) is outcome
    assert store.dump() == before


@table(EVERY)
async def test_a_controller_that_knows_its_owner_writes_into_no_other(store, write):
    await ready(store, write)
    before = store.dump()
    assert await write(await store.controller(owner="fleet-2"), EPOCH + 1) is Outcome.OWNER
    assert store.dump() == before
    assert await write(await store.controller(owner="fleet-1"), EPOCH + 1) is Outcome.OK


@table({**WINDOWS, **AGELESS})
async def test_a_bucket_without_a_meta_stays_without(store, write):
    assert await write(store.target, EPOCH) is Outcome.CLOSED
    assert store.dump() == {}


@table({"stamp": WINDOWS["stamp"], "copy in": AGELESS["copy in"]})
async def test_a_copy_begun_in_another_incarnation_is_not_finished(store, write):
    await store.opened("only", incarnation=4)
    before = store.dump()
    assert await write(store.target, EPOCH) is Outcome.CHANGED
    assert store.dump() == before


# -- what they do


async def test_windows_open_and_close_mode_by_mode(store):
    target = (await store.opened()).target
    seen = []
    for write in (
        target.open_mode("dual", EPOCH),
        target.open_mode("strict", EPOCH),
        target.open_mode("strict", EPOCH),
        target.open_mode("only", EPOCH),
        target.close_mode("dual", EPOCH),
        target.fence(frozenset({"primary", "only"}), EPOCH),
    ):
        await write
        seen.append(set((await store.look()).modes))
    assert seen == [{"dual"}, {"dual", "strict"}, {"dual", "strict"}, {"dual", "strict", "only"}, {"strict", "only"}, {"strict"}]


async def test_bidders_get_in_through_an_open_window_only(store):
    target, bidder = (await store.opened()).target, await store.client()
    verdicts = []
    for modes in (["strict"], ["only"], []):
        await target.fence(frozenset({"strict", "only"}), EPOCH)
        await target.fence(frozenset({"strict", "only"}), EPOCH, 1)
        for mode in modes:
            await target.open_mode(mode, EPOCH)
            await target.open_mode(mode, EPOCH, 1)
        verdicts.append((await bidder.acquire(store.ticket("9"))).verdict)
    assert verdicts == [Verdict.MODE, Verdict.OK, Verdict.MODE]


@pytest.mark.parametrize(
    ("waited_ms", "drained"),
    [(0, False), (3_650_000, False), (3_680_000, False), (3_700_000, True)],
    ids=["at once", "before the margin", "before the hundredth", "after all of them"],
)
@pytest.mark.parametrize(("since", "answer"), [("closed_at", "drained"), ("lost_at", "whole")])
async def test_leases_have_run_out_after_the_longest_ttl_and_the_margin(store, since, answer, waited_ms, drained):
    await store.opened(ttl_max_ms=3_600_000, margin_ms=60_000)
    store.write(**{since: store.now_ms() - waited_ms})
    assert getattr(await store.look(), answer) is drained


@table({name: WINDOWS[name] for name in ("fence", "close", "adopt", "seal")})
async def test_draining_begins_anew_with_every_closing(store, write):
    await store.opened("only")
    store.write(1, closed_at=1)
    assert (await store.look(1)).drained
    await write(store.target, EPOCH)
    assert not (await store.look(1)).drained


async def test_nothing_is_admitted_under_a_seal_and_a_holder_may_still_release(store):
    target, bidder = (await store.opened("only")).target, await store.client()
    held = store.ticket("9")
    assert (await bidder.acquire(held)).ok
    for bucket in (0, 1):
        await target.seal(bucket, "a" * 32, EPOCH)

    assert (await store.look()).modes == frozenset()
    assert await target.open_mode("only", EPOCH + 1) is Outcome.SEALED
    verdicts = [(await step).verdict for step in (bidder.renew(held), bidder.claim(held, 1), bidder.acquire(store.ticket("8")))]
    assert verdicts == [Verdict.MODE] * 3
    assert (await bidder.release(held)).ok


async def test_a_bucket_is_reopened_only_by_the_seal_it_shows(store):
    target = (await store.opened("only")).target
    assert await target.reopen(0, "a" * 32, frozenset({"only"}), EPOCH) is Outcome.SEALED
    await target.seal(0, "a" * 32, EPOCH)
    assert await target.reopen(0, "b" * 32, frozenset({"only"}), EPOCH) is Outcome.SEALED
    assert await target.reopen(0, "a" * 32, frozenset({"only", "primary"}), EPOCH) is Outcome.OK
    seen = await store.look()
    assert (seen.sealed, seen.modes) == ("", {"only", "primary"})


async def test_an_adopted_file_is_the_one_that_strict_bidders_must_have_open(store):
    target, bidder = (await store.opened("strict")).target, await store.client()
    for bucket in (0, 1):
        await target.adopt(bucket, "file-2", EPOCH)
    verdicts = [(await bidder.acquire(store.ticket("9", "strict", domain=domain))).verdict for domain in ("file-1", "file-2")]
    assert verdicts == [Verdict.DOMAIN, Verdict.OK]


async def test_a_watermark_is_never_lowered(store):
    target = (await store.opened("only")).target
    for given in (1_800_000_000_000, 1_700_000_000_000):
        await target.raise_watermark(given, EPOCH)
    assert (await store.look()).watermark_ms == 1_800_000_000_000
    assert (await target.tail(0)).watermark_ms == 1_800_000_000_000


# -- what a controller sees


async def test_a_server_out_of_reach_is_seen_so(own_store):
    await own_store.opened("only")
    own_store.server.kill()
    assert [bucket.reachable for bucket in await own_store.target.survey(EPOCH)] == [False, False]


async def test_a_store_of_another_layout_is_refused_with_what_to_set(store):
    await store.opened("only")
    three = await store.controller(buckets=3)
    with pytest.raises(ConfigurationError, match="BIDLOCK_BUCKETS"):
        await three.survey(EPOCH)


async def test_a_server_is_durable_only_as_long_as_it_writes_before_it_answers(own_store):
    await own_store.opened("only")
    seen = []
    for setting in ("everysec", "always"):
        own_store.server.command("CONFIG", "SET", "appendfsync", setting)
        seen.append((await own_store.look()).durable)
    assert seen == [False, True]


async def test_a_server_that_hides_its_configuration_is_not_durable(store, each_server: Server):
    each_server.command("ACL", "SETUSER", "blind", "on", ">pw", "~*", "&*", "+@all", "-config")
    await store.opened("only")
    blind = await store.controller(address=parse(f"redis://blind:pw@{each_server.host}:{each_server.port}/0?prefix={store.prefix}"))
    seen = await blind.survey(EPOCH)
    assert [(bucket.reachable, bucket.durable) for bucket in seen] == [(True, False)] * 2
