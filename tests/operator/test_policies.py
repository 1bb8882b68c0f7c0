"""A policy, read."""

from __future__ import annotations

from bidlock_operator.observing.policies import Policy, read

BODY = {
    "metadata": {"namespace": "bids", "name": "arbitrage", "uid": "u-1", "generation": 4},
    "spec": {"phase": "RedisPrimary", "paused": True},
}


def test_a_policy_is_read_from_the_object_the_server_sends():
    assert read(BODY) == Policy("bids", "arbitrage", "u-1", 4, "RedisPrimary", paused=True)


def test_a_policy_without_a_spec_asks_for_nothing():
    assert read({"metadata": BODY["metadata"]}) == Policy("bids", "arbitrage", "u-1", 4)
