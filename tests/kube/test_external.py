"""Any cluster will do: the one that kubectl would talk to."""

from __future__ import annotations

import pytest
from kubernetes import client

from bidlock_kube import clusters, namespaces
from bidlock_kube.audit import Audit
from bidlock_kube.errors import KubeError


@pytest.fixture
def external(kube, tmp_path, monkeypatch):
    """The test's own server, found as a stranger's would be."""
    monkeypatch.setenv("KUBECONFIG", str(kube.kubeconfig))
    return clusters.external(tmp_path)


def test_it_is_the_current_context(external, kube):
    assert (external.tier, external.url) == ("external", kube.url)
    assert external.kubectl("get", "namespace", "default", "-o", "name") == "namespace/default\n"


def test_namespaces_and_accounts_work_the_same(external):
    with namespaces.isolated(external) as name:
        account = external.account(name, "default")

        said = client.AuthenticationV1Api(external.client_of(account)).create_self_subject_review({})
    assert said.status.user_info.username == f"system:serviceaccount:{name}:default"


def test_it_keeps_its_processes_and_its_audit_log_to_itself(external):
    with pytest.raises(KubeError, match="the processes of an external cluster are out of reach; unset BIDLOCK_KUBE"):
        external.run.restart("etcd")
    with pytest.raises(KubeError, match="an external cluster keeps its audit log to itself; unset BIDLOCK_KUBE"):
        Audit.now(external)


def test_without_a_context_one_line_says_what_to_set(kube, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))

    with pytest.raises(KubeError, match=r"no external cluster .*; set KUBECONFIG, or unset BIDLOCK_KUBE"):
        clusters.external(tmp_path)
