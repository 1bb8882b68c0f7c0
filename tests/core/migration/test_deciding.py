"""Single decisions that are worth a sentence of their own; the whole is checked by the model (tests/model)."""

import pytest

from bidlock.migration import Wish, actions
from bidlock.migration.deciding import decide
from bidlock.migration.register import Register
from bidlock.migration.sight import TARGET_ONLY, Bucket, Fleet, Origin, Sight
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
