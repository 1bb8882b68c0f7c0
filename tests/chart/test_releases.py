"""Releases come, change and go in a real cluster; the pods of the operator's image run as processes with the rights of their pods."""

import json
import shutil
import time
import uuid
from dataclasses import replace

import pytest
import yaml
from bidlock_chart import hands
from bidlock_chart.helm import CHART, HelmError

from bidlock_kube.namespaces import await_gone

pytestmark = pytest.mark.slow

CRD = "bidlockpolicies.bidlock.io"
FINALIZER = "bidlock.io/finalizer"
SPEC = {
    "phase": "SQLite",
    "replicas": 0,
    "sqlite": {"claimName": "bids"},
    "bidder": {"template": {"spec": {"containers": [{"name": "bidder", "image": "bidder:1"}]}}},
}


def eventually(look, seconds=240):
    """Look again until there is something to see."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, f"nothing after {seconds} s"
        time.sleep(0.1)
    return seen


class Site:
    """The cluster, and helm with an administrator's rights."""

    def __init__(self, kube, helm, folder):
        self.kube, self.helm, self.folder = kube, replace(helm, kubeconfig=kube.kubeconfig), folder
        self.namespaces = []

    def namespace(self):
        name = f"chart-{uuid.uuid4().hex[:8]}"
        self.kube.kubectl("create", "namespace", name)
        self.namespaces.append(name)
        eventually(lambda: "default" in self.kube.kubectl("-n", name, "get", "serviceaccounts", "-o", "name"))
        return name

    def install(self, namespace, values=None, *words):
        """With one pod, if nothing else is said: each is a process here."""
        return self.helm("install", "bidlock", CHART, "--namespace", namespace, *words, values={"replicas": 1} | (values or {}))

    def uninstall(self, namespace):
        """With its hook carried out."""
        with self.at_work(namespace) as pods:
            self.helm("uninstall", "bidlock", "--namespace", namespace, "--timeout", "120s", "--wait")
            return pods.log("uninstall")

    def await_ready(self, namespace, replicas=1):
        eventually(lambda: self.get("-n", namespace, "deployment", "bidlock")["status"].get("readyReplicas") == replicas)

    def at_work(self, namespace):
        return hands.at_work(self.kube, namespace, self.folder)

    def get(self, *words):
        return json.loads(self.kube.kubectl("get", *words, "-o", "json"))

    def names(self, kind, *words):
        return {line.partition("/")[2] for line in self.kube.kubectl("get", kind, *words, "-o", "name").split()}

    def policy(self, namespace, name="fleet"):
        """A policy as an operator leaves it."""
        metadata = {"name": name, "namespace": namespace, "finalizers": [FINALIZER]}
        self.kube.apply({"apiVersion": "bidlock.io/v1alpha1", "kind": "BidLockPolicy", "metadata": metadata, "spec": SPEC})


@pytest.fixture
def site(lone_kube, helm, tmp_path):
    """Leaves the cluster without a definition and without releases."""
    site = Site(lone_kube, helm, tmp_path)
    yield site
    try:
        for namespace in site.namespaces:  # not what is listed: those of earlier tests are still going
            if "bidlock" in site.helm("list", "--all", "--short", "--namespace", namespace):
                site.helm("uninstall", "bidlock", "--no-hooks", "--namespace", namespace)
            if CRD in site.names("crds"):
                for policy in site.names("blp", "-n", namespace):
                    lone_kube.kubectl("-n", namespace, "patch", "blp", policy, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
            lone_kube.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")  # a test may have deleted it
    finally:  # or the next test fails too: the definition would belong to a release of this one
        lone_kube.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def older_chart(tmp_path):
    """The chart, with a definition that lacks a column and a field."""
    chart = tmp_path / "older"
    shutil.copytree(CHART, chart)
    file = chart / "files" / "bidlockpolicies.yaml"
    crd = yaml.safe_load(file.read_text())
    (version,) = crd["spec"]["versions"]
    version["additionalPrinterColumns"].pop()
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["paused"]
    file.write_text(yaml.safe_dump(crd))
    return chart


def test_an_upgrade_changes_the_definition_and_keeps_the_policies(site, older_chart):
    def version():
        return site.get("crd", CRD)["spec"]["versions"][0]

    namespace = site.namespace()
    site.helm("install", "bidlock", older_chart, "--namespace", namespace)
    site.policy(namespace)
    before = version()

    site.helm("upgrade", "bidlock", CHART, "--namespace", namespace)

    assert len(version()["additionalPrinterColumns"]) == len(before["additionalPrinterColumns"]) + 1
    site.kube.kubectl("-n", namespace, "patch", "blp", "fleet", "--type=merge", "-p", '{"spec":{"paused":true}}')
    assert site.get("-n", namespace, "blp", "fleet")["spec"]["paused"] is True


def test_uninstalling_stops_the_operator_frees_the_policies_and_keeps_them(site):
    namespace = site.namespace()
    site.install(namespace, {"replicas": 2})
    site.policy(namespace)
    with site.at_work(namespace) as pods:
        site.await_ready(namespace, 2)
        site.helm("uninstall", "bidlock", "--namespace", namespace, "--timeout", "120s", "--wait")
        said = pods.log("uninstall")

    assert f"stopped the operator {namespace}/bidlock" in said
    assert site.get("-n", namespace, "blp", "fleet")["metadata"].get("finalizers", []) == []
    left = [
        kind
        for kind in ("deployments", "pods", "jobs", "roles", "rolebindings", "services")
        if site.names(kind, "-n", namespace, "-l", "app.kubernetes.io/managed-by=Helm")
    ]
    assert not left
    assert not [name for name in site.names("clusterroles") | site.names("clusterrolebindings") if name.startswith(namespace)]


def test_after_an_uninstallation_without_an_operator_the_namespace_goes(site):
    """Nobody but the Job is there to take the finalizer off."""
    namespace = site.namespace()
    site.install(namespace)
    site.kube.kubectl("-n", namespace, "scale", "deployment/bidlock", "--replicas=0")
    site.policy(namespace)

    assert f"freed policy {namespace}/fleet" in site.uninstall(namespace)

    site.kube.kubectl("delete", "namespace", namespace, "--timeout=120s")

    assert namespace not in site.names("namespaces")


def test_an_uninstallation_that_cannot_free_a_policy_fails_and_deletes_nothing(site):
    namespace = site.namespace()
    site.install(namespace, {"uninstallHook": {"timeoutSeconds": 10}})

    with pytest.raises(HelmError):  # nobody runs its pod
        site.helm("uninstall", "bidlock", "--namespace", namespace, "--timeout", "5s")

    assert "bidlock" in site.names("deployments.apps", "-n", namespace)
    assert CRD in site.names("crds")


def test_what_was_kept_is_taken_up_by_the_next_installation(site):
    namespace = site.namespace()
    site.install(namespace)
    site.policy(namespace)
    uid = site.get("-n", namespace, "blp", "fleet")["metadata"]["uid"]
    site.uninstall(namespace)

    site.install(namespace)

    assert site.get("-n", namespace, "blp", "fleet")["metadata"]["uid"] == uid
    assert site.get("crd", CRD)["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == namespace


def test_another_release_takes_the_definition_over_when_it_is_told_to(site):
    first, second = site.namespace(), site.namespace()
    site.install(first)
    site.uninstall(first)

    with pytest.raises(HelmError, match="invalid ownership metadata"):
        site.install(second)
    site.install(second, {}, "--take-ownership")

    assert site.get("crd", CRD)["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == second


def test_without_keep_the_definition_and_the_policies_go_and_nothing_hangs(site):
    namespace = site.namespace()
    site.install(namespace, {"crds": {"keep": False}})
    site.policy(namespace)

    site.uninstall(namespace)

    eventually(lambda: CRD not in site.names("crds"))


def test_two_releases_of_one_name_live_in_two_namespaces(site):
    first, second = site.namespace(), site.namespace()
    site.install(first, {"scope": "Namespaces"})
    site.install(second, {"scope": "Namespaces", "crds": {"enabled": False}})
    with site.at_work(first), site.at_work(second):
        for namespace in (first, second):
            site.await_ready(namespace)

        site.policy(first)
        site.helm("uninstall", "bidlock", "--namespace", second, "--timeout", "120s", "--wait")

        assert site.get("-n", first, "deployment", "bidlock")["status"]["readyReplicas"] == 1
    assert site.get("-n", first, "blp", "fleet")["metadata"]["finalizers"] == [FINALIZER]
    assert CRD in site.names("crds")


def test_a_namespace_that_loses_its_roles_before_its_policies_is_not_stranded(site):
    system, fleet = site.namespace(), site.namespace()
    site.install(system, {"scope": "Namespaces", "watchNamespaces": [system, fleet]})
    with site.at_work(system):
        site.await_ready(system)
        site.policy(fleet)
        site.kube.kubectl("-n", fleet, "delete", "rolebinding", "bidlock")

        site.kube.kubectl("delete", "namespace", fleet, "--wait=false")

        await_gone(site.kube, fleet)
        assert site.get("-n", system, "deployment", "bidlock")["status"]["readyReplicas"] == 1


def test_somebody_without_rights_on_the_cluster_installs_tests_and_uninstalls(site):
    """Who may do everything in one namespace needs nobody else, once the definition is there."""
    namespace = site.namespace()
    site.kube.apply(yaml.safe_load((CHART / "files" / "bidlockpolicies.yaml").read_text()))
    site.kube.kubectl("-n", namespace, "create", "serviceaccount", "owner")
    site.kube.kubectl(
        "-n", namespace, "create", "rolebinding", "owner", "--clusterrole=cluster-admin", f"--serviceaccount={namespace}:owner"
    )
    owner = replace(site.helm, kubeconfig=site.kube.account(namespace, "owner"))

    owner("install", "bidlock", CHART, "--namespace", namespace, values={"scope": "Namespaces", "crds": {"enabled": False}, "replicas": 1})
    with site.at_work(namespace) as pods:
        site.await_ready(namespace)
        site.policy(namespace)
        owner("uninstall", "bidlock", "--namespace", namespace, "--timeout", "120s", "--wait")

        assert f"stopped the operator {namespace}/bidlock" in pods.log("uninstall")
        assert "forbidden" not in pods.log("bidlock").lower()


def with_policies(*policies):
    return {"policies": [{"name": name, "spec": SPEC | {"replicas": replicas}} for name, replicas in policies]}


def test_policies_of_the_values_are_applied_changed_and_never_deleted(site):
    namespace = site.namespace()

    def replicas():
        return {one["metadata"]["name"]: one["spec"]["replicas"] for one in site.get("-n", namespace, "blp")["items"]}

    with site.at_work(namespace):
        site.install(namespace, with_policies(("one", 1), ("two", 1)), "--timeout", "120s")
        assert replicas() == {"one": 1, "two": 1}
        site.helm(
            "upgrade", "bidlock", CHART, "--namespace", namespace, "--timeout", "120s", values={"replicas": 1} | with_policies(("one", 3))
        )
        assert replicas() == {"one": 3, "two": 1}


def test_a_policy_that_is_refused_fails_the_installation_and_says_why(site):
    namespace = site.namespace()
    with site.at_work(namespace) as pods:
        with pytest.raises(HelmError):
            site.install(namespace, {"policies": [{"name": "one", "spec": SPEC | {"phase": "Redis"}}]}, "--timeout", "120s")

        assert 'spec.phase: Unsupported value: "Redis"' in pods.log("policies")
        assert len([name for name in pods.pods if "policies" in name]) == 1, "it would fail again, so it is not tried again"


def test_the_test_of_the_release_finds_the_operator_ready(site, tmp_path):
    """`helm test` needs pods that find a Service by its name; here its pod's command is run with its rights and the operator's own address."""
    from bidlock_chart.hands import command

    namespace = site.namespace()
    site.install(namespace)
    with site.at_work(namespace) as pods:
        site.await_ready(namespace)
        hooks = [
            yaml.safe_load(one) for one in site.helm("get", "hooks", "bidlock", "--namespace", namespace).split("---\n") if one.strip()
        ]
        *rights, job = [one for one in hooks if one["metadata"]["name"].endswith("-verify")]
        site.kube.apply(*rights)
        pod = job["spec"]["template"]
        operator = next(running for name, running in pods.pods.items() if name.startswith("bidlock-"))
        words = [
            f"http://127.0.0.1:{operator.port}/readyz" if word.startswith("http:") else word
            for word in pod["spec"]["containers"][0]["args"]
        ]

        ended = command(words, site.kube.account(namespace, pod["spec"]["serviceAccountName"]))

    assert (ended.returncode, ended.stdout.splitlines()) == (
        0,
        [f"the API server would accept a policy in namespace {namespace}", "an operator is ready"],
    )
