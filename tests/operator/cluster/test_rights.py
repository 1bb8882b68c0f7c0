"""An operator that may do less than it asks for, on a real API server that refuses the rest."""

from __future__ import annotations

import asyncio

import pytest
import yaml
from simulation.world import Fleet, condition, converged, operator, policy

from bidlock_kube import namespaces
from bidlock_operator import preflight
from bidlock_operator.acting import applying
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube
from bidlock_operator.kube.kinds import DISRUPTION_BUDGET, EVENT, NETWORK_POLICY, SECRET
from bidlock_operator.resources import Resource

ROLE = Resource("rbac.authorization.k8s.io", "v1", "Role", "roles")
BINDING = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
ACCOUNT = Resource("", "v1", "ServiceAccount", "serviceaccounts")
SUBJECT = {"kind": "ServiceAccount", "name": "operator"}
LEASE = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}


def rules(without: dict[Resource, set[str]]) -> list[dict]:
    """What the operator asks for, but not all of it."""
    found = [LEASE]
    for right in preflight.RIGHTS:
        name = f"{right.kind.plural}/{right.subresource}" if right.subresource else right.kind.plural
        verbs = [verb for verb in right.verbs if verb not in without.get(right.kind, ())]
        found += [{"apiGroups": [right.kind.group], "resources": [name], "verbs": verbs}] if verbs else []
    return found


def every(kind: Resource) -> set[str]:
    """Every verb that the operator asks for."""
    return {verb for right in preflight.RIGHTS if right.kind is kind for verb in right.verbs}


@pytest.fixture
def limited(defined, transport, node, namespace, tmp_path, monkeypatch):
    """Starts an operator that lacks some rights; gives them to it, or takes others."""
    kube = Kube(transport, manager="human")

    async def grant(without: dict[Resource, set[str]], where: str = namespace) -> None:
        meta = {"name": "operator", "namespace": where}
        await kube.apply(ROLE, {"apiVersion": ROLE.api_version, "kind": "Role", "metadata": meta, "rules": rules(without)})
        bound = {"roleRef": {"apiGroup": ROLE.group, "kind": "Role", "name": "operator"}, "subjects": [SUBJECT | {"namespace": namespace}]}
        await kube.apply(BINDING, {"apiVersion": BINDING.api_version, "kind": "RoleBinding", "metadata": meta, **bound})

    async def start(without: dict[Resource, set[str]], *beside: str, **environment: str):
        meta = {"name": "operator", "namespace": namespace}
        await kube.create(ACCOUNT, namespace, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        await grant(without)
        token = defined.kubectl("create", "token", "operator", "-n", namespace).strip()
        monkeypatch.setenv("KUBECONFIG", str(as_account(defined.kubeconfig, token, tmp_path / "limited.kubeconfig")))
        return operator(namespace, beside=beside, LEASE_NAMESPACE=namespace, **environment)

    start.grant = grant
    return start


def as_account(admins, token, path):
    """The same cluster, as somebody else."""
    config = yaml.safe_load(admins.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize("kind", [DISRUPTION_BUDGET, NETWORK_POLICY, EVENT], ids=lambda kind: f"no right to {kind.plural}")
async def test_without_an_optional_right_a_fleet_walks_and_the_right_is_named(limited, transport, namespace, kind):
    async with await limited({kind: every(kind)}):
        fleet = Fleet(transport, policy(namespace, phase="RedisPrimary"))
        await fleet.create()
        await fleet.walked("RedisPrimary", 90)
        told = await fleet.until(lambda body: condition(body, "Degraded", "reason") == "RightsMissing")

    assert kind.plural in condition(told, "Degraded", "message")
    assert converged(told, "RedisPrimary")
    assert not condition(told, "Stalled")
    assert not [
        each for each in await fleet.kube.list(kind, namespace) if each.get("metadata", {}).get("labels", {}).get("bidlock.io/policy")
    ]


async def test_what_may_be_made_and_not_watched_is_not_made_over_and_over(limited, transport, namespace):
    async with await limited({DISRUPTION_BUDGET: {"list", "watch"}}) as memo:
        fleet = Fleet(transport, policy(namespace, phase="RedisPrimary"))
        await fleet.create()
        await fleet.walked("RedisPrimary", 90)
        await asyncio.sleep(2)
        before = await writes(memo)
        for _ in range(4):
            memo.operator.news.wake((namespace, fleet.name))
            await asyncio.sleep(0.5)

        assert await writes(memo) == before
        assert len(await fleet.kube.list(DISRUPTION_BUDGET, namespace)) == 1


async def writes(memo) -> float:
    """How many requests that change something were sent."""
    found = memo.operator.metrics.requests.collect()
    samples = [sample for metric in found for sample in metric.samples if sample.name.endswith("total")]
    return sum(sample.value for sample in samples if sample.labels["method"] not in ("GET", "WATCH"))


async def test_what_may_not_be_deleted_stays_and_the_fleet_goes_back_all_the_same(limited, transport, namespace):
    async with await limited({DISRUPTION_BUDGET: {"delete"}}):
        fleet = Fleet(transport, policy(namespace, phase="RedisPrimary"))
        await fleet.create()
        await fleet.walked("RedisPrimary", 90)
        await fleet.change(phase="SQLite")
        await fleet.walked("SQLite", 90)
        told = await fleet.until(lambda body: condition(body, "Degraded", "reason") == "RightsMissing")

        assert "delete poddisruptionbudgets.policy" in condition(told, "Degraded", "message")
        assert len(await fleet.kube.list(DISRUPTION_BUDGET, namespace)) == 1


async def test_a_right_that_is_given_later_is_used_and_no_more_told(limited, transport, namespace, monkeypatch):
    monkeypatch.setattr(applying, "UNSEEN_EVERY", 1.0)
    monkeypatch.setattr(preflight, "AGAIN_EVERY", 1.0)
    async with await limited({NETWORK_POLICY: {"create", "patch"}}) as memo:
        fleet = Fleet(transport, policy(namespace, phase="DualSupport"))
        await fleet.create()
        await fleet.walked("DualSupport", 90)
        await fleet.until(lambda body: condition(body, "Degraded", "reason") == "RightsMissing")
        await limited.grant({})

        async with asyncio.timeout(60):
            while condition(await fleet.read(), "Degraded") != "False":
                memo.operator.news.wake((namespace, fleet.name))
                await asyncio.sleep(0.5)
        assert len(await fleet.kube.list(NETWORK_POLICY, namespace)) == 2


async def test_a_right_that_is_needed_and_taken_away_is_told_and_the_operator_goes_on_when_it_has_it_again(limited, transport, namespace):
    async with await limited({}) as memo:
        fleet = Fleet(transport, policy(namespace))
        await fleet.create()
        await fleet.walked("SQLite", 90)
        await limited.grant({SECRET: every(SECRET)})
        await fleet.change(phase="DualSupport")
        told = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "RightsMissing")
        assert "secrets" in condition(told, "Stalled", "message")
        assert condition(told, "Ready") == "True"

        await limited.grant({})
        memo.operator.news.wake((namespace, fleet.name))
        await fleet.walked("DualSupport", 90)


@pytest.fixture
def another(kube):
    """Another namespace."""
    with namespaces.isolated(kube) as name:
        yield name


async def test_a_namespace_without_its_rights_keeps_no_other_waiting_and_is_served_once_it_has_them(limited, transport, namespace, another):
    first, second = Fleet(transport, policy(namespace)), Fleet(transport, policy(another))
    async with await limited({}, another) as memo:
        await first.create()
        await second.create()
        await first.walked("SQLite", 90)
        assert memo.operator.wrong() == ""
        assert "status" not in await second.read()

        await limited.grant({}, another)
        await second.walked("SQLite", 90)


async def test_a_namespace_that_loses_its_roles_leaves_the_operator_ready_and_the_others_looked_after(
    limited, transport, namespace, another
):
    fleet = Fleet(transport, policy(namespace))
    await limited.grant({}, another)
    async with await limited({}, another, WATCH_SILENCE="3") as memo:
        await fleet.create()
        await fleet.walked("SQLite", 90)
        await fleet.kube.delete(BINDING, another, "operator")
        async with asyncio.timeout(60):
            while any(another in name for name in memo.operator._heard.ages()):
                await asyncio.sleep(0.1)

        assert memo.operator.wrong() == ""
        await fleet.change(phase="DualSupport")
        await fleet.walked("DualSupport", 90)


async def test_an_operator_that_lost_its_own_roles_ends_and_frees_the_policies_that_it_may(limited, transport, namespace, another):
    fleet = Fleet(transport, policy(another))
    await limited.grant({}, another)
    async with await limited({}, another):
        await fleet.create()
        await fleet.walked("SQLite", 90)
        await fleet.kube.delete(BINDING, namespace, "operator")

    assert "finalizers" not in (await fleet.read())["metadata"]


async def test_a_quota_that_is_full_is_told_with_the_servers_own_words(operated, transport, namespace):
    quota = Resource("", "v1", "ResourceQuota", "resourcequotas")
    fleet = Fleet(transport, policy(namespace))
    spec = {"hard": {"persistentvolumeclaims": "0"}}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": namespace}, "spec": spec}
    await fleet.kube.create(quota, namespace, body)
    async with asyncio.timeout(60):
        while not ((await fleet.kube.get(quota, namespace, "none")).get("status") or {}).get("hard"):
            await asyncio.sleep(0.1)
    await fleet.create()

    told = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "RightsMissing")
    assert "exceeded quota" in condition(told, "Stalled", "message")
    await fleet.kube.delete(quota, namespace, "none")
    operated.operator.news.wake((namespace, fleet.name))
    await fleet.walked("SQLite", 90)


async def test_a_mode_of_redis_that_comes_later_is_refused_and_the_fleet_stays_as_it_is(operated, transport, namespace):
    fleet = Fleet(transport, policy(namespace))
    await fleet.create()
    await fleet.walked("SQLite")
    for mode in ("Sentinel", "Cluster"):
        await fleet.change(redis={"mode": mode}, phase="DualSupport")
        told = await fleet.until(lambda body, mode=mode: f"spec.redis.mode {mode} " in condition(body, "Stalled", "message"))
        assert condition(told, "Stalled", "reason") == "RedisModeUnsupported"
        assert (told["status"]["to"], condition(told, "Ready")) == ("sqlite", "True")
    assert not await fleet.kube.list(kinds.STATEFUL_SET, namespace)

    await fleet.change(redis={"mode": "Standalone"})
    await fleet.walked("DualSupport", 90)
