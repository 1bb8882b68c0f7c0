"""What the API server accepts and refuses of a spec, on a real one: for every rule at least one write of each kind."""

from __future__ import annotations

import pytest

from bidlock_operator.manifests import environment, redisconf

SHORT = {"bidTimeoutSeconds": 1}
EXTERNAL = {"urlSecretRef": {"name": "redis", "key": "url"}}


def env(name):
    return {"template": {"spec": {"containers": [{"name": "bidder", "env": [{"name": name, "value": "x"}]}]}}}


ACCEPTED = {
    "nothing but a phase and a template": {},
    "a name of the container": {"bidder": {"container": "bidder"}},
    "another bidlock variable": {"bidder": env("BIDLOCK_STORE_TIMEOUT")},
    "one bidder with a file of its own": {"sqlite": {"topology": "PerPod"}, "replicas": 1},
    "no bidder with a file of its own": {"sqlite": {"topology": "PerPod"}, "replicas": 0},
    "many bidders with files of their own once Redis decides": {
        "sqlite": {"topology": "PerPod"},
        "replicas": 9,
        "phase": "RedisPrimary",
    },
    "a bid that just fits into a lease": {"lock": {"ttlSeconds": 30}, "bidder": {"bidTimeoutSeconds": 24}},
    "a wait as long as the lease": {"lock": {"ttlSeconds": 60, "waitTimeoutSeconds": 60}},
    "a TTL of three margins": {"lock": {"ttlSeconds": 16}, "bidder": SHORT},
    "the shortest lease": {"lock": {"ttlSeconds": 4, "marginSeconds": 1, "waitTimeoutSeconds": 1}, "bidder": SHORT},
    "a roll-out without surge": {"rollout": {"maxSurge": 0}},
    "a roll-out without gap": {"rollout": {"maxUnavailable": "0%", "maxSurge": 1}},
    "a claim": {"sqlite": {"claimName": "bids"}},
    "storage": {"sqlite": {"storage": {"size": "1Gi"}}},
    "a file in a folder": {"sqlite": {"path": "fleet/bids.db"}},
    "an external server": {"redis": {"mode": "External", "external": EXTERNAL}},
    "Sentinel, for a later version": {"redis": {"mode": "Sentinel"}},
    "Cluster, for a later version": {"redis": {"mode": "Cluster"}},
    "a size in gigabytes": {"redis": {"storage": {"size": "2G"}}},
    "a memory limit as a number": {"redis": {"resources": {"limits": {"memory": 67108864}}}},
    "the smallest memory limit": {"redis": {"resources": {"limits": {"memory": "32Mi"}}}},
    "a directive": {"redis": {"config": {"slowlog-log-slower-than": "10000", "hz": "50"}}},
}

REFUSED = {
    "an unknown phase": ({"phase": "DualWrite"}, "spec.phase: Unsupported value"),
    "no template": ({"bidder": {"template": None}}, "spec.bidder.template: Required value"),
    "a template without containers": ({"bidder": {"template": {"spec": {"containers": []}}}}, "spec.bidder.template.spec.containers"),
    "a name of no container": ({"bidder": {"container": "bot"}}, "names no container of spec.bidder.template"),
    "many bidders with files of their own": (
        {"sqlite": {"topology": "PerPod"}, "replicas": 2, "phase": "DualSupport"},
        "take at most one replica",
    ),
    "a bid longer than its lease": (
        {"lock": {"ttlSeconds": 30}, "bidder": {"bidTimeoutSeconds": 25}},
        "spec.bidder.bidTimeoutSeconds must leave room in a lease",
    ),
    "a wait longer than the lease": ({"lock": {"ttlSeconds": 60, "waitTimeoutSeconds": 61}}, "may not exceed spec.lock.ttlSeconds"),
    "a TTL below three margins": ({"lock": {"ttlSeconds": 15}, "bidder": SHORT}, "must be at least three times the margin"),
    "a prefix that would split a key": ({"lock": {"keyPrefix": "a:b"}}, "spec.lock.keyPrefix"),
    "a roll-out that cannot move": ({"rollout": {"maxUnavailable": 0, "maxSurge": "0%"}}, "may not both be 0"),
    "a share above all": ({"rollout": {"maxSurge": "101%"}}, "spec.rollout.maxSurge"),
    "a share that is none": ({"rollout": {"maxUnavailable": "few"}}, "spec.rollout.maxUnavailable"),
    "a number below nothing": ({"rollout": {"maxUnavailable": -1}}, "spec.rollout.maxUnavailable"),
    "two volumes for one file": (
        {"sqlite": {"claimName": "bids", "storage": {"size": "1Gi"}}},
        "claimName or spec.sqlite.storage, not both",
    ),
    "one volume for many files": ({"sqlite": {"topology": "PerPod", "claimName": "bids"}}, "names one volume for all pods"),
    "storage without a size": ({"sqlite": {"storage": {}}}, "spec.sqlite.storage.size: Required value"),
    "a file's size that is no quantity": ({"sqlite": {"storage": {"size": "large"}}}, "must be a quantity such as 1Gi"),
    "a file outside its volume": ({"sqlite": {"path": "/bids.db"}}, "spec.sqlite.path"),
    "a file above its volume": ({"sqlite": {"path": "../bids.db"}}, "spec.sqlite.path"),
    "a mount in nowhere": ({"sqlite": {"mountPath": "data"}}, "spec.sqlite.mountPath"),
    "an external server that is not named": ({"redis": {"mode": "External"}}, "spec.redis.external is needed when"),
    "a server of the operator's that is named": ({"redis": {"external": EXTERNAL}}, "and only then"),
    "a server's size that is no quantity": ({"redis": {"storage": {"size": "1 Gi"}}}, "must be a quantity such as 1Gi"),
    "no memory limit": ({"redis": {"resources": {"limits": {"memory": None}}}}, "limits.memory must be a quantity"),
    "a memory limit too small": ({"redis": {"resources": {"limits": {"memory": "31Mi"}}}}, "at least 32Mi"),
    "a memory limit that is none": ({"redis": {"resources": {"limits": {"memory": "much"}}}}, "must be a quantity"),
    "an upper-case directive": ({"redis": {"config": {"APPENDFSYNC": "no"}}}, "write directives in lower-case letters"),
    "a directive within a value": ({"redis": {"config": {"hz": "10\nappendfsync no"}}}, "each value on one line"),
    "a directive within a value, the other way": ({"redis": {"config": {"hz": "10\rappendfsync no"}}}, "each value on one line"),
    "a loss without a name": ({"acceptAuthorityLoss": [""]}, "spec.acceptAuthorityLoss"),
}

OURS = sorted(redisconf._FORBIDDEN | {"bind", "port", "aclfile", "dir", "save", "appendonly", "maxmemory-policy", "protected-mode"})
FAMILIES = [f"{prefix.rstrip('-')}-x" for prefix in redisconf.FORBIDDEN_PREFIXES]


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
def test_a_policy_may_have(policies, spec):
    assert policies.refused(spec) == ""


@pytest.mark.parametrize(("spec", "said"), REFUSED.values(), ids=REFUSED)
def test_a_policy_may_not_have(policies, spec, said):
    assert said in policies.refused(spec)


@pytest.mark.parametrize("directive", OURS + FAMILIES)
def test_a_policy_may_not_set_a_directive_that_the_lock_depends_on(policies, directive):
    assert "this directive belongs to the operator" in policies.refused({"redis": {"config": {directive: "x"}}})


@pytest.mark.parametrize("name", sorted(environment._RESERVED))
def test_a_template_may_not_set_a_variable_of_the_operators(policies, name):
    assert "may not set a BIDLOCK_ variable" in policies.refused({"bidder": env(name)})


def test_a_policy_is_filled_with_the_defaults(policies):
    spec = policies.write().read()["spec"]

    assert (spec["replicas"], spec["paused"], spec["deletionPolicy"]) == (1, False, "Retain")
    assert spec["lock"] == {"keyPrefix": "bidlock", "ttlSeconds": 300, "marginSeconds": 5, "waitTimeoutSeconds": 10, "clockSkewSeconds": 60}
    assert spec["sqlite"]["mountPath"] == "/var/lib/bidlock"
    assert spec["redis"]["resources"]["limits"] == {"memory": "256Mi"}


def test_a_template_is_kept_as_it_was_written(policies):
    template = {"metadata": {"labels": {"app": "bot"}}, "spec": {"containers": [{"name": "b", "image": "i", "args": ["x"]}], "priority": 7}}

    assert policies.write(bidder={"template": template}).read()["spec"]["bidder"]["template"] == template
