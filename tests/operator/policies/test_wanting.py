"""From a policy to what the controller of the migration should want."""

from __future__ import annotations

import pytest

from bidlock.migration.register import Register
from bidlock.modes import Role
from bidlock_operator import policies
from bidlock_operator.policies import Phase, wanting

PHASES = list(Phase)


def policy(phase, **rollout):
    spec = {"phase": phase, "bidder": {"template": {}}, "rollout": rollout, "acceptAuthorityLoss": ["n-1"], "lock": {"clockSkewSeconds": 7}}
    return policies.read({"metadata": {"name": "p", "uid": "u"}, "spec": spec | {"redis": {"acceptNotDurable": True}}})


def at(mode, to=None, authority=None):
    holder = authority or (Role.TARGET if mode in ("primary", "only") else Role.ORIGIN)
    return Register(1 << 32, mode, to or mode, holder, "file")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("mode", ["sqlite", "dual", "strict", "primary", "only"])
def test_an_automatic_policy_wants_its_phase_wherever_the_fleet_is(phase, mode):
    assert policies.want(policy(phase), at(mode)).mode == policies.MODE_OF[phase]


def test_what_else_a_human_wants_is_passed_on():
    wish = policies.want(policy("SQLite"), at("sqlite"), sealed=frozenset({0}))

    assert (wish.sealed, wish.accepted, wish.clock_skew_ms, wish.accept_not_durable) == ({0}, {"n-1"}, 7000, True)


@pytest.mark.parametrize(
    ("phase", "approved", "mode", "wanted"),
    [
        ("RedisOnly", None, "sqlite", "sqlite"),
        ("RedisOnly", "SQLite", "sqlite", "sqlite"),
        ("RedisOnly", "DualSupport", "sqlite", "dual"),
        ("RedisOnly", "RedisOnly", "sqlite", "only"),
        ("DualSupport", "RedisOnly", "sqlite", "dual"),
        ("RedisOnly", "DualSupport", "primary", "primary"),
        ("RedisOnly", None, "strict", "strict"),
        ("SQLite", "RedisOnly", "only", "only"),
        ("SQLite", "RedisPrimary", "only", "primary"),
        ("SQLite", "SQLite", "only", "sqlite"),
        ("SQLite", None, "dual", "dual"),
        ("DualSupport", None, "dual", "dual"),
    ],
)
def test_a_manual_policy_walks_as_far_as_it_is_approved(phase, approved, mode, wanted):
    asked = policy(phase, strategy="Manual", **({"approvedPhase": approved} if approved else {}))

    assert policies.want(asked, at(mode)).mode == wanted
    assert wanting.awaits_approval(asked, at(mode)) is (wanted != policies.MODE_OF[Phase(phase)])


def test_an_approval_taken_back_in_the_middle_of_a_step_turns_it_round():
    assert policies.want(policy("RedisOnly", strategy="Manual"), at("dual", "strict")).mode == "dual"


@pytest.mark.parametrize("approved", [None, *PHASES])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("mode", "to"), [("sqlite", "dual"), ("dual", "strict"), ("strict", "primary"), ("primary", "only")])
def test_a_step_that_is_turned_round_is_not_turned_round_again(phase, approved, mode, to):
    asked = policy(phase, strategy="Manual", **({"approvedPhase": approved} if approved else {}))
    authority = Role.ORIGIN if mode in ("sqlite", "dual") else Role.TARGET

    assert policies.want(asked, at(mode, to, authority)) == policies.want(asked, at(to, mode, authority))


def test_to_turn_a_running_step_round_needs_no_approval():
    asked = policy("DualSupport", strategy="Manual", approvedPhase="RedisPrimary")

    assert policies.want(asked, at("dual", "strict")).mode == "dual"


@pytest.mark.parametrize("phase", ["RedisPrimary", "RedisOnly"])
@pytest.mark.parametrize("register", [at("sqlite"), at("dual"), at("strict"), at("strict", "primary")], ids=str)
def test_a_hold_rests_at_strict_until_redis_has_the_authority(phase, register):
    asked = policy(phase, holdBeforeFlip=True)

    assert policies.want(asked, register).mode == "strict"
    assert wanting.holds_before_flip(asked, register)


@pytest.mark.parametrize("register", [at("strict", "primary", Role.TARGET), at("primary"), at("only")], ids=str)
def test_a_hold_does_not_pull_back_a_fleet_that_redis_decides_for(register):
    asked = policy("RedisPrimary", holdBeforeFlip=True)

    assert policies.want(asked, register).mode == "primary"
    assert not wanting.holds_before_flip(asked, register)


def test_a_hold_does_not_matter_to_a_phase_before_it():
    assert policies.want(policy("DualSupport", holdBeforeFlip=True), at("strict")).mode == "dual"


@pytest.mark.parametrize(
    ("mode", "phase"),
    [
        ("sqlite", "SQLite"),
        ("dual", "DualSupport"),
        ("strict", "DualSupport"),
        ("primary", "RedisPrimary"),
        ("only", "RedisOnly"),
    ],
)
def test_a_mode_has_reached_a_phase(mode, phase):
    assert policies.phase_of(mode) == phase
