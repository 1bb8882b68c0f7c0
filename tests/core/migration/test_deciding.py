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
