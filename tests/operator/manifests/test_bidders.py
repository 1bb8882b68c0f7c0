"""The bidders: the user's template, with what the lock needs added and nothing taken away."""

from __future__ import annotations

import copy

import pytest

from bidlock.modes import MODES
from bidlock.settings import Settings
from bidlock_operator.manifests import bidders, environment

RICH = {
    "metadata": {"labels": {"app": "bot", "app.kubernetes.io/name": "bot"}, "annotations": {"team": "a"}},
    "spec": {
        "terminationGracePeriodSeconds": 300,
        "topologySpreadConstraints": [{"maxSkew": 1}],
        "affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}, "nodeAffinity": {"x": 1}},
        "volumes": [{"name": "feed", "configMap": {"name": "feed"}}],
        "initContainers": [{"name": "wait", "image": "wait:1"}],
        "containers": [
            {
                "name": "bidder",
                "image": "bot:1",
                "env": [{"name": "FEED", "value": "/feed"}, {"name": "BIDLOCK_STORE_TIMEOUT", "value": "1"}],
                "volumeMounts": [{"name": "feed", "mountPath": "/feed"}],
            },
            {"name": "sidecar", "image": "side:1"},
        ],
    },
}
SHARED = {"claimName": "bids"}


@pytest.fixture
def made(policy, platform):
    def make(mode="dual", template=RICH, replicas=3, **spec):
        return bidders.children(policy(template=template, **{"sqlite": SHARED, **spec}), mode, platform, replicas=replicas)

    return make


@pytest.fixture
def pod(made):
    def make(mode="dual", **spec):
        return made(mode, **spec)[0]["spec"]["template"]

    return make


def variables(pod, number=0):
    return {variable["name"]: variable.get("value") for variable in pod["spec"]["containers"][number]["env"]}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("container", [0, 1])
def test_every_container_is_told_its_mode_and_whose_stores_it_works_in(pod, mode, container):
    told = variables(pod(mode), container)

    assert (told["BIDLOCK_MODE"], told["BIDLOCK_POLICY"]) == (mode, "u-1")


def test_an_init_container_is_told_the_same(pod):
    spec = pod()["spec"]

    assert [variable["name"] for variable in spec["initContainers"][0]["env"]] == [
        variable["name"] for variable in spec["containers"][1]["env"]
    ]


@pytest.mark.parametrize(
    ("mode", "stores"),
    [
        ("sqlite", {"BIDLOCK_SQLITE_URL"}),
        ("dual", {"BIDLOCK_SQLITE_URL", "BIDLOCK_REDIS_URL"}),
        ("strict", {"BIDLOCK_SQLITE_URL", "BIDLOCK_REDIS_URL"}),
        ("primary", {"BIDLOCK_SQLITE_URL", "BIDLOCK_REDIS_URL"}),
        ("only", {"BIDLOCK_REDIS_URL"}),
    ],
)
def test_a_bidder_is_told_of_the_stores_that_its_mode_touches(pod, mode, stores):
    spec = pod(mode)["spec"]

    assert {name for name in variables({"spec": spec}) if name.endswith("_URL")} == stores
    assert ("bidlock-sqlite" in {volume["name"] for volume in spec["volumes"]}) is ("BIDLOCK_SQLITE_URL" in stores)


@pytest.mark.parametrize("mode", MODES)
def test_a_client_understands_what_a_bidder_is_told(pod, mode):
    told = {name: value or "redis://:x@h" for name, value in variables(pod(mode)).items()}

    settings = Settings.read(told)

    assert (settings.mode, settings.policy, settings.prefix) == (mode, "u-1", "bidlock")
    assert (settings.ttl, settings.margin, settings.timeout, settings.buckets) == (300, 5, 10, 1)


def test_the_password_of_redis_is_not_in_the_template(pod):
    env = {variable["name"]: variable for variable in pod()["spec"]["containers"][0]["env"]}

    assert env["BIDLOCK_REDIS_PASSWORD"]["valueFrom"] == {"secretKeyRef": {"name": "arbitrage-redis-auth", "key": "bidder"}}
    assert env["BIDLOCK_REDIS_URL"]["value"] == "redis://bidder:$(BIDLOCK_REDIS_PASSWORD)@arbitrage-redis.bids.svc.cluster.local:6379/0"
    assert list(env).index("BIDLOCK_REDIS_PASSWORD") < list(env).index("BIDLOCK_REDIS_URL")


def test_with_tls_a_bidder_verifies_the_server(pod):
    spec = pod(redis={"tls": {"secretName": "redis-tls"}})["spec"]
    env = {variable["name"]: variable.get("value") for variable in spec["containers"][0]["env"]}

    assert env["BIDLOCK_REDIS_URL"].startswith("rediss://")
    assert env["BIDLOCK_REDIS_URL"].endswith(":6380/0?ssl_ca_certs=/etc/bidlock/redis/ca.crt")
    assert {"name": "bidlock-redis-ca", "secret": {"secretName": "redis-tls", "items": [{"key": "ca.crt", "path": "ca.crt"}]}} in spec[
        "volumes"
    ]


def test_the_url_of_an_external_server_comes_from_its_secret(pod):
    env = pod(redis={"mode": "External", "external": {"urlSecretRef": {"name": "mine", "key": "url"}}})["spec"]["containers"][0]["env"]

    assert {"name": "BIDLOCK_REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "url"}}} in env


def contained(user, ours) -> bool:
    """Whether everything of the user's is still there."""
    if isinstance(user, dict):
        return isinstance(ours, dict) and all(key in ours and contained(value, ours[key]) for key, value in user.items())
    if isinstance(user, list):
        return all(any(contained(entry, other) for other in ours) for entry in user)
    return user == ours


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_the_users_template_is_lost(pod, mode):
    assert contained(RICH, pod(mode))


def test_the_policy_itself_is_not_changed(made):
    before = copy.deepcopy(RICH)
    made()

    assert before == RICH


def test_a_variable_that_only_the_operator_may_set_is_replaced(pod):
    template = {"spec": {"containers": [{"name": "b", "env": [{"name": "BIDLOCK_MODE", "value": "only"}]}]}}

    assert [v for v in pod(template=template)["spec"]["containers"][0]["env"] if v["name"] == "BIDLOCK_MODE"] == [
        {"name": "BIDLOCK_MODE", "value": "dual"}
    ]


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 40), ({"terminationGracePeriodSeconds": 5}, 40), ({"terminationGracePeriodSeconds": 99}, 99)]
)
def test_a_pod_that_ends_has_time_to_finish_its_bid(pod, given, seconds):
    template = {"spec": {"containers": [{"name": "b"}], **given}}

    assert pod(template=template)["spec"]["terminationGracePeriodSeconds"] == seconds


def test_pods_are_found_by_policy_component_and_track_and_carry_their_mode(made):
    spec = made("strict")[0]["spec"]
    labels = spec["template"]["metadata"]["labels"]

    assert spec["selector"]["matchLabels"] == {
        "bidlock.io/policy": "arbitrage",
        "app.kubernetes.io/component": "bidder",
        "bidlock.io/track": "stable",
    }
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["bidlock.io/mode"] == "strict"


def test_a_change_of_mode_does_not_change_the_selector(made):
    assert made("dual")[0]["spec"]["selector"] == made("only")[0]["spec"]["selector"]


@pytest.mark.parametrize("replicas", [0, 3])
def test_replicas_are_as_wanted(made, replicas):
    assert made(replicas=replicas)[0]["spec"]["replicas"] == replicas


def test_replicas_are_left_to_an_autoscaler_that_acts_on_the_bidders(made):
    assert "replicas" not in made(replicas=None)[0]["spec"]


def test_the_fleet_rolls_as_the_policy_says(made):
    spec = made(rollout={"maxUnavailable": 0, "maxSurge": "50%", "progressDeadlineSeconds": 77})[0]["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "50%"}
    assert spec["progressDeadlineSeconds"] == 77


def test_canaries_are_a_deployment_of_their_own_in_the_next_mode(policy, platform):
    steady, early = bidders.children(policy(sqlite=SHARED), "dual", platform, replicas=5, canaries=1, canary_mode="strict")

    assert [child["spec"]["replicas"] for child in (steady, early)] == [5, 1]
    assert [child["spec"]["template"]["metadata"]["labels"]["bidlock.io/mode"] for child in (steady, early)] == ["dual", "strict"]
    assert steady["spec"]["selector"] != early["spec"]["selector"]


def test_the_canaries_deployment_is_scaled_to_zero_when_none_is_wanted(policy, platform):
    made = bidders.children(policy(sqlite=SHARED, rollout={"canaryReplicas": 2}), "dual", platform, replicas=5)

    assert [child["spec"]["replicas"] for child in made] == [5, 0]


@pytest.mark.parametrize("mode", MODES)
def test_a_changed_password_replaces_the_pods_that_use_it(policy, platform, mode):
    def template(revision):
        return bidders.children(policy(sqlite=SHARED), mode, platform, replicas=1, revision=revision)[0]["spec"]["template"]

    assert (template("a") != template("b")) is (mode != "sqlite")


@pytest.mark.parametrize("mode", MODES)
def test_with_a_file_per_pod_bidders_are_a_stateful_set_that_never_has_two_of_one_pod(made, mode):
    (child,) = made(mode, sqlite={"topology": "PerPod", "storage": {"size": "1Gi"}})

    assert child["kind"] == "StatefulSet"
    assert child["spec"]["volumeClaimTemplates"][0]["spec"]["resources"] == {"requests": {"storage": "1Gi"}}
    assert child["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


@pytest.mark.parametrize("mode", MODES)
def test_with_a_file_per_pod_the_agent_is_a_container_of_the_pod_while_the_file_matters(made, mode):
    spec = made(mode, sqlite={"topology": "PerPod", "storage": {"size": "1Gi"}})[0]["spec"]["template"]["spec"]

    assert ("bidlock-agent" in {container["name"] for container in spec["containers"]}) is (mode != "only")


def test_without_storage_a_file_per_pod_lives_as_long_as_its_pod(made):
    (child,) = made(sqlite={"topology": "PerPod"})

    assert {"name": "bidlock-sqlite", "emptyDir": {}} in child["spec"]["template"]["spec"]["volumes"]


def test_the_definition_refuses_the_variables_that_the_operator_sets(schema):
    rules = schema["spec"]["properties"]["bidder"]["x-kubernetes-validations"]

    assert all(any(f"'{name}'" in rule["rule"] for rule in rules) for name in environment._RESERVED)
