"""What a user sees of a policy with kubectl, on a real API server."""

from __future__ import annotations

from dataclasses import replace

from bidlock.migration.register import BucketRegister, Register
from bidlock.modes import Role
from bidlock_operator import conditions, registers
from bidlock_operator.conditions import Condition, ConditionType, Status

FLIPPING = Register((1 << 32) + 3, "strict", "primary", Role.ORIGIN, "file-1", (BucketRegister("n-1", 1),))


def of(kind, status, reason):
    return replace(Condition(kind, status, reason, "x", 1), last_transition_time="2026-03-01T10:00:00Z").manifest()


def status():
    return registers.write(FLIPPING) | {
        "currentPhase": "DualSupport",
        "readyReplicas": 6,
        "replicas": 7,
        "selector": "bidlock.io/policy=x",
        "transition": {"step": "Draining"},
        "conditions": [
            of(ConditionType.READY, Status.TRUE, "Bidding"),
            of(ConditionType.PROGRESSING, Status.TRUE, "Draining"),
            of(ConditionType.REDIS_READY, Status.TRUE, "Open"),
            of(ConditionType.PHASE_CONVERGED, Status.FALSE, "Draining"),
        ],
    }


def shown(cluster, policy, *options):
    return [line.split() for line in cluster.kubectl("get", "blp", policy.name, "-n", policy.namespace, *options).splitlines()]


def test_a_line_says_what_is_wanted_where_the_fleet_is_and_whether_it_can_bid(defined, policies):
    policy = policies.write(status(), phase="RedisPrimary")

    heads, values = shown(defined, policy)

    assert heads == ["NAME", "DESIRED", "PHASE", "MODE", "STEP", "BIDDERS", "REDIS", "READY", "AGE"]
    assert values[:-1] == [policy.name, "RedisPrimary", "DualSupport", "primary", "Draining", "6", "True", "True"]


def test_a_wide_line_adds_who_has_the_authority_and_what_is_awaited(defined, policies):
    heads, values = shown(defined, policies.write(status(), phase="RedisPrimary"), "-o", "wide")

    told = dict(zip(heads, values, strict=True))
    assert (told["AUTHORITY"], told["REASON"]) == ("SQLite", "Draining")


def test_policies_are_found_by_phase(defined, policies):
    policy = policies.write(status(), phase="RedisOnly")

    found = defined.kubectl(
        "get", "blp", "-n", policy.namespace, "--field-selector=spec.phase=RedisOnly,status.currentPhase=DualSupport", "-o", "name"
    )

    assert found.split() == [f"bidlockpolicy.bidlock.io/{policy.name}"]


def test_kubectl_waits_for_a_condition(defined, policies):
    policy = policies.write(status())
    held = tuple(Condition.read(raw) for raw in status()["conditions"])
    done = Condition(ConditionType.PHASE_CONVERGED, Status.TRUE, "Converged", "x", 1)
    policy.report(conditions=[one.manifest() for one in conditions.set_condition(held, done, now="2026-03-01T11:00:00Z")])

    said = defined.kubectl("wait", "--for=condition=PhaseConverged", f"blp/{policy.name}", "-n", policy.namespace, "--timeout=10s")

    assert said.strip() == f"bidlockpolicy.bidlock.io/{policy.name} condition met"


def test_kubectl_scales_and_finds_the_bidders(defined, policies):
    policy = policies.write(status())

    defined.kubectl("scale", f"blp/{policy.name}", "--replicas=5", "-n", policy.namespace)

    scale = policies.api.get_namespaced_custom_object_scale("bidlock.io", "v1alpha1", policy.namespace, "bidlockpolicies", policy.name)
    assert (scale["spec"]["replicas"], scale["status"]) == (5, {"replicas": 7, "selector": "bidlock.io/policy=x"})


def test_every_field_is_explained(defined):
    said = defined.kubectl("explain", "blp.spec.rollout.holdBeforeFlip")

    assert "before Redis gets the" in said
