"""The audit log says who asked for what, and what the answer was."""

from __future__ import annotations

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from bidlock_kube.audit import Audit


@pytest.fixture
def core(kube):
    """A client for the core API, as administrator."""
    return client.CoreV1Api(kube.client)


def by_admin(audit: Audit) -> list[tuple[str, str, str, int]]:
    return [(one.verb, one.resource, one.name, one.code) for one in audit.requests() if one.user == "admin"]


def test_a_request_is_in_the_log_with_its_answer(audit, namespace, core):
    core.create_namespaced_service(namespace, {"metadata": {"name": "shop"}, "spec": {"ports": [{"port": 80}]}})
    with pytest.raises(ApiException):
        core.read_namespaced_service("pub", namespace)

    assert by_admin(audit) == [("create", "services", "shop", 201), ("get", "services", "pub", 404)]


def test_a_write_shows_what_was_sent_and_a_secret_does_not(audit, namespace, core):
    core.create_namespaced_service(namespace, {"metadata": {"name": "shop"}, "spec": {"ports": [{"port": 80}]}})
    core.create_namespaced_secret(namespace, {"metadata": {"name": "key"}, "stringData": {"password": "hush"}})

    sent = {one.resource: one.body for one in audit.requests() if one.user == "admin"}
    assert sent["services"]["spec"]["ports"][0]["port"] == 80
    assert sent["secrets"] is None


def test_what_happens_in_another_namespace_is_not_in_this_ones_log(audit, core):
    core.list_namespaced_pod("default")

    assert by_admin(audit) == []


def test_only_what_comes_from_now_on_is_in_a_log_that_begins_now(audit, namespace, core):
    core.list_namespaced_pod(namespace)

    later = audit.since()
    core.list_namespaced_service(namespace)

    assert [resource for _, resource, _, _ in by_admin(later)] == ["services"]


def test_that_nothing_was_written_can_be_seen(audit, namespace, core):
    core.list_namespaced_pod(namespace)

    assert not [one for one in audit.requests() if one.writes and one.user == "admin"]


def test_a_service_account_is_named_as_the_user(audit, kube, namespace):
    with pytest.raises(ApiException):
        client.CoreV1Api(kube.client_of(kube.account(namespace, "default"))).list_namespaced_pod(namespace)

    users = {one.user: one.code for one in audit.requests() if one.resource == "pods" and one.verb == "list"}
    assert users == {f"system:serviceaccount:{namespace}:default": 403}
