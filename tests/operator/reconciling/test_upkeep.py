"""When the server's pod may be replaced."""

from __future__ import annotations

import pytest

from bidlock.migration import actions
from bidlock.migration.register import BucketRegister, Register
from bidlock.migration.sight import Bucket, Fleet, Origin, Sight
from bidlock.modes import Role
from bidlock_operator.reconciling import upkeep

SEALED = actions.Wait("Sealed", "safe to stop")
UNREACHABLE = actions.Wait("RedisUnavailable", "bring it back")
RUNS = {"status": {"containerStatuses": [{"state": {"running": {}}}]}}
WAITS = {"status": {"containerStatuses": [{"state": {"waiting": {}}}]}}
LIVE, AWAY = Bucket(incarnation=1), Bucket(reachable=False)


def seen(bucket: Bucket, authority: Role, *, doubted: bool = False) -> Sight:
    register = Register(
        epoch=1, source="only", to="only", authority=authority, domain="d", buckets=(BucketRegister(incarnation=1, doubted=doubted),)
    )
    return Sight(register, Origin(), (bucket,), Fleet("only"))


@pytest.mark.parametrize(
    ("bucket", "pod", "action", "authority", "durable", "may"),
    [
        pytest.param(LIVE, RUNS, SEALED, Role.TARGET, False, True, id="live and sealed: all is in the copy"),
        pytest.param(LIVE, RUNS, actions.Sealing(0), Role.TARGET, True, False, id="live, not sealed yet"),
        pytest.param(AWAY, RUNS, UNREACHABLE, Role.TARGET, True, True, id="out of reach, but everything is on the disk"),
        pytest.param(AWAY, RUNS, UNREACHABLE, Role.ORIGIN, False, True, id="out of reach, but the markers are in SQLite"),
        pytest.param(AWAY, WAITS, UNREACHABLE, Role.TARGET, False, True, id="does not run: its memory is lost already"),
        pytest.param(AWAY, RUNS, UNREACHABLE, Role.TARGET, False, False, id="lets nobody in and holds the only markers in memory"),
    ],
)
def test_a_server_is_replaced_only_when_nothing_is_lost(bucket, pod, action, authority, durable, may):
    assert upkeep.may_stop(pod, seen(bucket, authority), action, durable=durable) is may


def test_a_server_that_was_seen_not_to_write_everything_down_is_not_replaced_unsealed():
    assert not upkeep.may_stop(RUNS, seen(AWAY, Role.TARGET, doubted=True), UNREACHABLE, durable=True)
