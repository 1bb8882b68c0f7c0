"""Names of children."""

from __future__ import annotations

import re

import pytest

from bidlock_operator.manifests import naming

NAMES = (naming.bidder, naming.canary, naming.redis, naming.redis_claim, naming.redis_users, naming.redis_passwords)
OTHERS = (naming.agent, naming.agent_token, naming.sqlite_claim)
POLICIES = [
    "arbitrage",
    "a",
    "a.b",
    "7up",
    "x" * 63,
    "x" * 63 + "y",
    "a" + ".b" * 126,
    "upwork-eu-west-1-and-a-name-of-some-fifty-characters-1",
]


def test_names_are_the_policys_name_and_the_component(policy):
    assert [name(policy()) for name in NAMES] == [
        "arbitrage-bidder",
        "arbitrage-bidder-canary",
        "arbitrage-redis",
        "arbitrage-redis-data",
        "arbitrage-redis-acl",
        "arbitrage-redis-auth",
    ]


@pytest.mark.parametrize("name", POLICIES, ids=len)
@pytest.mark.parametrize("of", NAMES + OTHERS, ids=lambda of: of.__name__)
def test_a_name_is_a_dns_label_that_leaves_room_for_what_kubernetes_appends(of, name, policy):
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", of(policy(name)))
    assert len(of(policy(name))) <= naming.LONGEST


@pytest.mark.parametrize("name", POLICIES, ids=len)
def test_a_label_fits(name, policy):
    assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", naming.label(policy(name)))


@pytest.mark.parametrize("of", NAMES + OTHERS, ids=lambda of: of.__name__)
def test_no_two_policies_share_a_name(of, policy):
    names = [*POLICIES, "a-b", "p7up"]

    assert len({of(policy(name)) for name in names}) == len(names)


def test_a_secret_and_a_volume_of_the_users_are_used_by_their_own_names(policy):
    own = policy(sqlite={"claimName": "bids"}, redis={"auth": {"secretName": "mine"}})

    assert (naming.sqlite_claim(own), naming.redis_passwords(own)) == ("bids", "mine")
