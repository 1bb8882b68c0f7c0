"""A policy that is paused, deleted, or made again."""

from __future__ import annotations

import asyncio

import pytest
from simulation.world import Fleet, condition, operator, policy

from bidlock_kube.namespaces import await_gone
from bidlock_operator import resources
from bidlock_operator.kube import kinds
from bidlock_operator.resources import Resource


@pytest.fixture
async def fleet(operated, transport, namespace):
    """A fleet at rest in DualSupport."""
    made = Fleet(transport, policy(namespace, phase="DualSupport"))
    await made.create()
    await made.walked("DualSupport", 90)
    return made


async def gone(fleet: Fleet, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while await fleet.kube.get(resources.POLICY, fleet.namespace, fleet.name):
            await asyncio.sleep(0.1)


async def test_a_deleted_policy_is_gone_with_its_children_and_its_volumes_stay(fleet):
    await fleet.delete()
    await gone(fleet)

    async with asyncio.timeout(120):  # the garbage collector takes half a minute to learn of a kind that is new
        while await fleet.kube.list(kinds.DEPLOYMENT, fleet.namespace):
            await asyncio.sleep(0.1)
    assert len(await fleet.kube.list(kinds.CLAIM, fleet.namespace)) == 2


async def test_a_policy_made_again_says_whose_stores_they_are_and_takes_them_up_when_told(fleet):
    former = await fleet.read()
    await fleet.delete()
    await gone(fleet)
    fleet.body["spec"]["phase"] = "DualSupport"
    await fleet.create()
    refused = await fleet.until(
        lambda body: condition(body, "Stalled", "reason") == "OwnerMismatch" or condition(body, "Progressing", "reason") == "OwnerMismatch"
    )
    assert former["metadata"]["uid"] in condition(refused, "Progressing", "message")

    await fleet.change(storeOwner=former["metadata"]["uid"])
    taken = await fleet.walked("DualSupport", 90)

    assert taken["status"]["sqliteDomain"] == former["status"]["sqliteDomain"]
    assert taken["status"]["epoch"] >> 32 > former["status"]["epoch"] >> 32


async def test_two_policies_of_one_owner_are_both_left_alone(fleet, transport):
    owner = (await fleet.read())["metadata"]["uid"]
    second = Fleet(transport, policy(fleet.namespace, "second", storeOwner=owner))
    await second.create()

    await second.until(lambda body: condition(body, "Stalled", "reason") == "OwnerTaken")
    assert "epoch" not in (await second.read())["status"]


async def test_a_paused_policy_goes_on_reporting_and_begins_nothing(fleet):
    await fleet.change(paused=True, phase="RedisPrimary")
    paused = await fleet.until(lambda body: condition(body, "PhaseConverged", "reason") == "Paused")
    assert paused["status"]["to"] == "dual"

    await fleet.change(paused=False)
    await fleet.walked("RedisPrimary", 90)


async def test_a_namespace_is_not_stranded(fleet, defined):
    defined.kubectl("delete", "namespace", fleet.namespace, "--wait=false")

    await asyncio.to_thread(await_gone, defined, fleet.namespace)
    defined.kubectl("create", "namespace", fleet.namespace)  # whoever gave it to the test deletes it


async def test_an_operator_that_ends_with_its_namespace_leaves_no_policy_that_waits_for_it(transport, node, namespace, defined):
    held = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "held", "namespace": namespace, "finalizers": ["example.org/held"]}}
    held["spec"] = {"containers": [{"name": "any", "image": "any:1"}], "schedulerName": "nobody"}
    made = Fleet(transport, policy(namespace))
    async with operator(namespace, LEASE_NAMESPACE=namespace):
        await made.create()
        await made.walked("SQLite")
        await made.kube.create(kinds.POD, namespace, held)
        defined.kubectl("delete", "namespace", namespace, "--wait=false")
        defined.kubectl("wait", "--for=jsonpath={.status.phase}=Terminating", f"namespace/{namespace}")
    # Pods end first; that of the operator among them, while the policy is not even deleted.
    await made.kube.merge(kinds.POD, namespace, "held", {"metadata": {"finalizers": None}})
    await made.kube.delete(kinds.POD, namespace, "held")

    await asyncio.to_thread(await_gone, defined, namespace)
    defined.kubectl("create", "namespace", namespace)  # whoever gave it to the test deletes it


async def test_a_template_the_server_refuses_is_a_condition_and_no_step_begins(fleet):
    broken = {"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1", "ports": [{"containerPort": 99999}]}]}}}
    await fleet.change(phase="RedisPrimary", bidder=broken)
    told = await fleet.until(lambda body: condition(body, "Stalled", "reason") == "TemplateInvalid")
    assert "99999" in condition(told, "Stalled", "message")
    assert told["status"]["to"] == "dual"

    await fleet.change(bidder={"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:2"}]}}})
    await fleet.walked("RedisPrimary", 90)


RULES = Resource("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies")
BINDINGS = Resource("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings")


@pytest.fixture
def rule_of_the_cluster(defined, namespace):
    """Refuses every Deployment of bidders in the test's namespace until it is called."""
    name, here = f"none-{namespace}", {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    kinds_of = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]
    rule = {
        "matchConstraints": {"resourceRules": kinds_of},
        "validations": [{"expression": "object.metadata.name.endsWith('-agent')", "message": "none here"}],
    }
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": here}}
    made = ((RULES, rule), (BINDINGS, bound))
    defined.apply(*({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "spec": spec} for kind, spec in made))

    def lift() -> None:
        defined.kubectl("delete", "--ignore-not-found", *(f"{kind.plural}.{kind.group}/{name}" for kind, _ in made))

    yield lift
    lift()


async def test_a_template_that_a_rule_of_the_cluster_refused_is_used_once_the_rule_is_gone(transport, node, namespace, rule_of_the_cluster):
    made = Fleet(transport, policy(namespace))
    async with operator(namespace, RESYNC="2"):
        await made.create()
        told = await made.until(lambda body: condition(body, "Stalled", "reason") == "TemplateInvalid")
        assert "none here" in condition(told, "Stalled", "message")
        await asyncio.to_thread(rule_of_the_cluster)

        await made.walked("SQLite")


async def test_a_redis_the_server_refuses_is_a_condition_and_everything_else_goes_on(fleet):
    most = {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}
    await fleet.change(phase="RedisPrimary", redis={"resources": most})
    told = await fleet.until(lambda body: body["status"]["to"] == "primary" and condition(body, "Stalled", "reason") == "ChildRefused", 90)
    assert "must be less than or equal to memory limit" in condition(told, "Stalled", "message")

    await fleet.change(redis={"resources": {"requests": {"memory": "1Gi"}}})
    await fleet.walked("RedisPrimary", 90)
