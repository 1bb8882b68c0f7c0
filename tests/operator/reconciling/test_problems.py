"""What is amiss with a store, by its reason."""

from __future__ import annotations

import pytest

from bidlock.errors import ConfigurationError
from bidlock.modes import Role
from bidlock_operator.observing.stores import Trouble
from bidlock_operator.reconciling import reporting
from bidlock_redis import facts


def refused(**info):
    """What a server with these facts is told by the plugin itself."""
    lines = {"redis_version": "8.2.0", "run_id": "r", "role": "master", "maxmemory_policy": "noeviction"} | info
    with pytest.raises(ConfigurationError) as error:
        facts.check(facts.read("\r\n".join(f"{name}:{value}" for name, value in lines.items())), "redis:6379")
    return Trouble(str(error.value), getattr(error.value, "reason", ""))


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"maxmemory_policy": "volatile-lru"}, "RedisEvictionUnsafe"),
        ({"redis_version": "5.0.0"}, "RedisTooOld"),
        ({"role": "slave"}, "RedisUnavailable"),
    ],
    ids=["evicts", "is too old", "is a replica"],
)
def test_a_server_that_cannot_be_trusted_has_a_reason(info, reason):
    said = refused(**info)

    assert dict(reporting.problems({Role.TARGET: said}, "")) == {reason: said.message}


def test_a_template_and_both_stores_may_be_amiss():
    found = dict(reporting.problems({Role.ORIGIN: Trouble("no agent"), Role.TARGET: Trouble("no Redis")}, "image: Required value"))

    assert list(found) == ["TemplateInvalid", "RedisUnavailable", "SQLiteUnavailable"]
