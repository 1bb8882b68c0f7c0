import asyncio
import itertools

import pytest

import bidlock
from bidlock import ConfigurationError, Placed, SkipReason
from bidlock.backend import SelfMeta
from bidlock.errors import BackendUnavailable
from bidlock.migration import Wish, actions, founding
from bidlock.migration.acting import Stores, Terms
from bidlock.migration.controller import Controller
from bidlock.migration.registerfile import RegisterFile
from bidlock.migration.sight import Bucket
from bidlock.modes import MODES, Role


def of(kind, done):
    return [action for action in done if isinstance(action, kind)]


async def test_a_far_mode_is_walked_step_by_step_and_back(walk):
    there = await walk("only")
    back = await walk("sqlite")

    assert [(b.source, b.to) for b in of(actions.Begin, there)] == list(itertools.pairwise(MODES))
    assert [(b.source, b.to) for b in of(actions.Begin, back)] == list(itertools.pairwise(reversed(MODES)))
    assert [a.role for a in of(actions.Authorise, there + back)] == [Role.TARGET, Role.ORIGIN]


async def test_the_authority_changes_hands_only_after_fence_drain_and_copy(file, stores):
    steps = []
    await Controller(file, stores, ttl_max_ms=2000, margin_ms=5).walk(Wish("primary"), steps.append)
    done = [step.action for step in steps]
    flip = [type(action).__name__ for action in done]

    assert flip.index("Fence") < flip.index("Wait") < flip.index("Copy") < flip.index("Authorise")
    assert of(actions.Open, done[: flip.index("Authorise")])[-1].mode != "primary"


async def test_a_controller_killed_after_any_write_goes_on_where_it_was(file, stores, urls):
    class KilledError(Exception):
        pass

    async def run(writes_left):
        controller = Controller(file, stores, ttl_max_ms=60, margin_ms=1)

        def die(step):
            nonlocal writes_left
            writes_left -= not isinstance(step.action, actions.Wait | actions.Noop)
            if writes_left < 0:
                raise KilledError

        await controller.walk(Wish("only"), die)

    kills = 0
    while True:
        try:
            await run(0)
            break
        except KilledError:
            kills += 1

    assert kills > 20
    assert file.read().register.to == "only"


async def test_a_fleet_bids_all_the_way_without_a_duplicate(file, controller, urls, walk):
    kept = await controller.begin()
    mode_file = file.path.with_suffix(".mode")
    assert mode_file.read_text().strip() == "sqlite"
    environment = {
        "BIDLOCK_POLICY": kept.owner,
        "BIDLOCK_SQLITE_URL": urls[0],
        "BIDLOCK_REDIS_URL": urls[1],
        "BIDLOCK_MODE_FILE": str(mode_file),
        "BIDLOCK_TTL": "0.15",
    }
    bids, ended = [], asyncio.Event()

    async def bidder(locks):
        for number in itertools.count():
            if ended.is_set():
                return

            async def place(lease, number=number):
                bids.append(number)

            await locks.bid_once("upwork", str(number), place)
            await asyncio.sleep(0.001)

    async with bidlock.connect(environment=environment) as one, bidlock.connect(environment=environment) as two:
        bidding = [asyncio.create_task(bidder(locks)) for locks in (one, two)]
        await walk("only")
        await walk("sqlite")
        ended.set()
        await asyncio.gather(*bidding)

    assert bids
    assert len(bids) == len(set(bids))


async def test_a_restarted_target_is_open_again_with_its_leases_after_three_writes(walk, stores, urls, file):
    await walk("only")
    environment = {"BIDLOCK_POLICY": file.read().owner, "BIDLOCK_URL": urls[1], "BIDLOCK_MODE": "only", "BIDLOCK_TTL": "0.15"}
    async with bidlock.connect(environment=environment) as locks, locks.hold("upwork", "1") as lease:
        stores.target.restart()
        done = await walk("only")

        assert [type(action) for action in done][:3] == [actions.Plant, actions.Incarnate, actions.Bless]
        assert isinstance(done[-1], actions.Noop)
        assert not lease.lost.is_set()
        lease.check()


async def test_a_wiped_target_with_the_authority_halts_until_the_loss_is_accepted_by_name(walk, stores, urls, file):
    await walk("only")
    stores.target.wipe()
    halted = (await walk("only"))[-1]
    assert (halted.reason, halted.bucket) == ("AuthorityLost", 0)

    done = await walk("only", accepted=frozenset({halted.nonce}))
    assert isinstance(done[-1], actions.Noop)
    environment = {"BIDLOCK_POLICY": file.read().owner, "BIDLOCK_URL": urls[1], "BIDLOCK_MODE": "only", "BIDLOCK_TTL": "0.15"}
    async with bidlock.connect(environment=environment) as locks:
        outcome = await locks.bid_once("upwork", "old", _placed, posted_at=1_700_000_000)
        assert outcome.reason is SkipReason.WATERMARK
        assert isinstance(await locks.bid_once("upwork", "new", _placed, posted_at=4_000_000_000), Placed)


async def _placed(lease):
    return lease.token


async def test_an_older_copy_of_the_target_is_recognised_by_its_counter(walk, stores):
    await walk("only")
    stores.target.restart()
    await walk("only")
    stores.target.restart()
    stores.target.store.counter -= 1

    assert (await walk("only"))[-1].reason == "AuthorityLost"


async def test_a_wiped_target_without_the_authority_comes_back_by_itself(walk, stores):
    await walk("strict")
    stores.target.wipe()

    assert isinstance((await walk("strict"))[-1], actions.Noop)


async def test_no_step_towards_a_target_that_is_out_of_reach(walk, stores, monkeypatch):
    await walk("sqlite")

    async def unreachable(epoch):
        return (Bucket(reachable=False),)

    monkeypatch.setattr(stores.target, "survey", unreachable)
    refused = (await walk("dual"))[-1]

    assert (type(refused), refused.reason) == (actions.Refuse, "RedisUnavailable")


async def test_a_target_that_may_lose_writes_does_not_get_the_authority_unasked(walk, stores):
    stores.target.durable = False
    refused = (await walk("only"))[-1]
    assert (refused.reason, type(refused)) == ("RedisNotDurable", actions.Refuse)

    assert isinstance((await walk("only", accept_not_durable=True))[-1], actions.Noop)


async def test_a_seal_stops_the_target_without_a_loss_even_if_it_is_not_durable(walk, stores):
    stores.target.durable = False
    await walk("only", accept_not_durable=True)
    sealed = []
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.3):
            await _watch(walk, sealed)
    stores.target.restart()

    done = await walk("only", accept_not_durable=True)
    assert [type(action) for action in done] == [
        actions.Plant,
        actions.Incarnate,
        actions.Bless,
        actions.Record,
        actions.Resume,
        actions.Reopen,
        actions.Noop,
    ]


async def _watch(walk, sealed):
    sealed += await walk("only", sealed=frozenset({0}), accept_not_durable=True)


async def test_stores_of_another_register_are_refused_and_left_alone(walk, stores, tmp_path):
    await walk("dual")
    stranger = Controller(RegisterFile(tmp_path / "other.json"), stores, 150, 5)

    with pytest.raises(ConfigurationError, match="belongs to register-"):
        await stranger.step(Wish("sqlite"))


async def test_a_fleet_that_began_on_the_target_keeps_its_markers(stores, urls, walk, file):
    async with bidlock.connect(urls[1], environment={}, ttl=0.6, ttl_max=0.6, margin=0.02) as locks:
        await locks.bid_once("upwork", "1", _placed)
    await walk("sqlite")

    environment = {"BIDLOCK_POLICY": file.read().owner, "BIDLOCK_SQLITE_URL": urls[0], "BIDLOCK_MODE": "sqlite", "BIDLOCK_TTL": "0.1"}
    async with bidlock.connect(environment=environment) as locks:
        assert (await locks.bid_once("upwork", "1", _placed)).reason is SkipReason.ALREADY_BID


async def test_two_stores_that_were_both_in_use_are_not_merged_silently(stores, controller):
    for store in (stores.origin, stores.target):
        await store.open_self(SelfMeta("only", 100, 5))

    with pytest.raises(ConfigurationError, match="clients worked in both stores"):
        await controller.begin()


async def test_a_register_lost_in_mid_transition_is_rebuilt_from_the_stores(controller, file, stores, walk):
    await walk("primary")
    owner = file.read().owner
    file.path.unlink()
    rebuilt = Controller(file, stores, 150, 5)
    await rebuilt.restore(owner)

    register = file.read().register
    assert (register.to, register.authority, register.recovering) == ("primary", Role.TARGET, False)
    assert isinstance((await walk("sqlite"))[-1], actions.Noop)


async def test_a_store_out_of_reach_ends_no_walk(walk, stores, monkeypatch):
    answers = iter([BackendUnavailable(), None])
    real = stores.origin.open_mode

    async def sometimes(*arguments):
        if failure := next(answers, None):
            raise failure
        return await real(*arguments)

    monkeypatch.setattr(stores.origin, "open_mode", sometimes)

    assert isinstance((await walk("dual"))[-1], actions.Noop)


def test_the_stores_are_found_by_their_role(stores):
    assert isinstance(stores, Stores)
    assert stores[Role.ORIGIN] is stores.origin


async def test_a_target_emptied_between_the_look_and_the_copy_is_not_stamped_into_the_origin(walk, stores, controller, file, monkeypatch):
    await walk("only")
    real = stores.target.copy_out

    async def emptied(bucket):
        stores.target.wipe()
        async for rows in real(bucket):
            yield rows

    monkeypatch.setattr(stores.target, "copy_out", emptied)
    halted = (await walk("sqlite"))[-1]

    assert halted.reason == "AuthorityLost"
    assert (await stores.origin.survey(file.read().register.epoch)).synced == frozenset()


async def test_a_server_that_was_not_durable_when_it_stopped_is_opened_as_one_that_lost_something(walk, stores, file):
    stores.target.durable = False
    await walk("strict")
    assert file.read().register.buckets[0].doubted
    stores.target.restart()
    stores.target.durable = True

    opened = of(actions.Bless, await walk("strict"))

    assert [action.kept for action in opened] == [False]
    assert not file.read().register.buckets[0].doubted


async def test_a_server_that_was_not_durable_for_a_while_does_not_look_kept_afterwards(walk, stores):
    await walk("only")
    stores.target.durable = False
    await walk("only")
    stores.target.durable = True
    stores.target.restart()

    assert (await walk("only"))[-1].reason == "AuthorityLost"


async def test_a_register_older_than_the_stores_changes_nothing(walk, file, stores):
    await walk("dual")
    older = file.read()
    await walk("primary")
    file.write(older)

    halted = (await walk("sqlite"))[-1]
    assert (type(halted), halted.reason) == (actions.Halt, "RegisterOutdated")


async def test_taking_a_used_target_over_goes_on_after_a_crash(stores, urls, file, controller, monkeypatch):
    async with bidlock.connect(urls[1], environment={}, ttl=0.6, ttl_max=0.6, margin=0.02) as locks:
        await locks.bid_once("upwork", "1", _placed)
    real = stores.target.take_over

    async def crash(constitution):
        raise BackendUnavailable

    monkeypatch.setattr(stores.target, "take_over", crash)
    with pytest.raises(BackendUnavailable):
        await controller.begin()
    monkeypatch.setattr(stores.target, "take_over", real)

    assert (await controller.begin()).register.authority is Role.TARGET


async def test_a_bucket_out_of_sight_while_the_register_was_rebuilt_is_recognised_later(walk, stores, file, monkeypatch):
    await walk("dual")
    stores.target.restart()
    await walk("dual")
    owner = file.read().owner
    file.path.unlink()
    real = stores.target.survey

    async def unreachable(epoch):
        return (Bucket(reachable=False),)

    monkeypatch.setattr(stores.target, "survey", unreachable)
    await Controller(file, stores, 150, 5).restore(owner)
    monkeypatch.setattr(stores.target, "survey", real)

    done = await walk("dual")
    assert of(actions.Recognise, done)
    assert isinstance(done[-1], actions.Noop)


async def test_a_bucket_that_a_newer_register_admitted_halts(walk, stores, file):
    await walk("dual")
    stores.target.restart()
    await walk("dual")
    older = file.path.read_bytes()
    stores.target.restart()
    await walk("dual")
    file.path.write_bytes(older)

    halted = (await walk("dual"))[-1]

    assert (type(halted), halted.reason, halted.bucket) == (actions.Halt, "RegisterOutdated", 0)
    assert "runs as incarnation" in halted.message


async def test_a_target_known_to_be_new_need_not_answer_when_a_fleet_is_founded(stores, monkeypatch):
    async def unreachable(epoch):
        return (Bucket(reachable=False),)

    monkeypatch.setattr(stores.target, "survey", unreachable)
    terms = Terms("register-1", 150, 5)
    with pytest.raises(ConfigurationError, match="target store does not answer"):
        await founding.found(stores, terms)

    register = await founding.found(stores, terms, target_is_new=True)

    assert (register.to, register.authority) == ("sqlite", Role.ORIGIN)
