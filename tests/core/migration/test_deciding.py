"""Single decisions that are worth a sentence of their own; the whole is checked by the model (tests/model)."""

from dataclasses import replace

import pytest

from bidlock.migration import Wish, actions
from bidlock.migration.deciding import decide
from bidlock.migration.register import Register
from bidlock.migration.sight import TARGET_ONLY, Bucket, Fleet, Origin, Quarantine, Sight
from bidlock.modes import MODES, Role


def settled(mode, *, origin=True, target=True):
    """A fleet at rest, with stores in reach or not."""
    authority = Role.TARGET if mode in TARGET_ONLY else Role.ORIGIN
    admitted = [frozenset({mode}) if role in MODES[mode].roles else frozenset() for role in (Role.ORIGIN, Role.TARGET)]
    return Sight(
        Register(1, mode, mode, authority, "file"),
        Origin(reachable=origin, domain="file", epoch=1, modes=admitted[0]),
        (Bucket(reachable=target, domain="file", epoch=1, modes=admitted[1]),),
        Fleet(mode),
    )


@pytest.mark.parametrize(
    ("mode", "out_of_reach", "reason"),
    [
        ("sqlite", "origin", "SQLiteUnavailable"),
        ("dual", "origin", "SQLiteUnavailable"),
        ("strict", "origin", "SQLiteUnavailable"),
        ("strict", "target", "RedisUnavailable"),
        ("primary", "target", "RedisUnavailable"),
        ("only", "target", "RedisUnavailable"),
    ],
)
def test_a_fleet_at_rest_on_a_store_that_is_not_there_waits_for_it(mode, out_of_reach, reason):
    action = decide(settled(mode, **{out_of_reach: False}), Wish(mode))

    assert isinstance(action, actions.Wait)
    assert (action.reason, "nobody bids" in action.message) == (reason, True)


@pytest.mark.parametrize(("mode", "out_of_reach"), [("sqlite", "target"), ("dual", "target"), ("primary", "origin"), ("only", "origin")])
def test_a_fleet_at_rest_does_not_wait_for_a_store_that_its_mode_can_do_without(mode, out_of_reach):
    assert decide(settled(mode, **{out_of_reach: False}), Wish(mode)) == actions.Noop()


@pytest.mark.parametrize("mode", MODES)
def test_a_fleet_at_rest_where_it_is_wanted_is_left_alone(mode):
    assert decide(settled(mode), Wish(mode)) == actions.Noop()


def evicting(sight, *, sealed="", seal="", running=True):
    """The same, with a target that is set to forget keys."""
    bucket = replace(sight.buckets[0], evicts="allkeys-lru", sealed=sealed, running=running, quarantine=Quarantine("q"))
    register = sight.register.with_bucket(0, seal=seal, nonce="q")
    return replace(sight, register=register, buckets=(replace(bucket, durable=True),))


@pytest.mark.parametrize("mode", MODES)
def test_a_target_that_evicts_is_sealed_whatever_it_is_used_for(mode):
    assert decide(evicting(settled(mode)), Wish(mode)) == actions.Sealing(0)
    assert decide(evicting(settled(mode), seal="s"), Wish(mode)) == actions.Seal(0, "s")


def test_a_target_that_evicts_no_more_is_opened_again():
    sealed = evicting(settled("primary"), sealed="s", seal="s")

    assert decide(replace(sealed, buckets=(replace(sealed.buckets[0], evicts=""),)), Wish("primary")) == actions.Resume(0)


def test_a_target_that_evicts_is_opened_for_nobody_when_it_restarts():
    action = decide(evicting(settled("primary"), running=False), Wish("primary"))

    assert isinstance(action, actions.Bless)
    assert action.modes == frozenset()


def test_no_step_forward_begins_on_a_target_that_evicts_and_a_step_back_does():
    sight = evicting(settled("dual"), sealed="s", seal="s")

    forward = decide(sight, Wish("strict"))
    assert isinstance(forward, actions.Refuse)
    assert (forward.reason, "maxmemory-policy noeviction" in forward.message) == ("RedisEvictionUnsafe", True)
    assert decide(sight, Wish("sqlite")) == actions.Begin("dual", "sqlite")


@pytest.mark.parametrize(
    ("mode", "beside", "wanted", "action"),
    [
        ("sqlite", False, True, actions.Open(Role.ORIGIN, "legacy")),
        ("dual", False, True, actions.Open(Role.ORIGIN, "legacy")),
        ("strict", False, True, actions.Open(Role.ORIGIN, "legacy")),
        ("primary", False, True, actions.Noop()),
        ("only", False, True, actions.Noop()),
        ("dual", True, False, actions.Close(Role.ORIGIN, "legacy")),
        ("dual", True, True, actions.Noop()),
        ("dual", True, None, actions.Noop()),
        ("dual", False, None, actions.Noop()),
    ],
)
def test_original_bots_are_let_in_as_a_human_says_while_sqlite_has_the_authority(mode, beside, wanted, action):
    sight = settled(mode)
    origin = replace(sight.origin, modes=sight.origin.modes | ({"legacy"} if beside else set()))

    assert decide(replace(sight, origin=origin), Wish(mode, original_bots=wanted)) == action


def test_nobody_lets_original_bots_in_while_the_authority_is_about_to_go():
    sight = settled("strict")
    flipping = replace(sight, register=replace(sight.register, epoch=2, to="primary"), fleet=Fleet("strict", frozenset({"strict"})))

    assert decide(flipping, Wish("primary", original_bots=True)) == actions.Fence(Role.ORIGIN)


@pytest.mark.parametrize(("source", "to"), [("sqlite", "dual"), ("dual", "strict")])
def test_a_fleet_changes_over_beside_original_bots(source, to):
    sight = settled(source)
    stores = {
        "origin": replace(sight.origin, modes=frozenset({source, to, "legacy"})),
        "buckets": (replace(sight.buckets[0], modes=frozenset({to})),),
    }
    rolled = replace(sight, register=replace(sight.register, to=to), fleet=Fleet(to, frozenset({to, "legacy"})), **stores)

    assert decide(rolled, Wish(to, original_bots=True)) == actions.Close(Role.ORIGIN, source)


@pytest.mark.parametrize(("source", "to"), [("strict", "primary"), ("primary", "only")])
def test_a_fleet_waits_for_original_bots_where_they_cannot_work_beside_it(source, to):
    sight = settled(source)
    bucket = replace(sight.buckets[0], modes=frozenset({source, to}))
    late = replace(sight, register=replace(sight.register, to=to), fleet=Fleet(to, frozenset({to, "legacy"})), buckets=(bucket,))

    action = decide(late, Wish(to, original_bots=True))

    assert isinstance(action, actions.Wait)
    assert action.reason == "LegacyPodsRunning"
