"""A namespace of the test's own: it can be worked in at once, nobody else is in it, and it does not stay."""

from __future__ import annotations

import pytest
from kubernetes import client

from bidlock_kube import namespaces


@pytest.fixture
def core(kube):
    """A client for the core API, as administrator."""
    return client.CoreV1Api(kube.client)


def test_pods_can_be_created_at_once(kube, namespace, core):
    core.create_namespaced_pod(namespace, {"metadata": {"name": "first"}, "spec": {"containers": [{"name": "main", "image": "x"}]}})

    assert core.read_namespaced_pod("first", namespace)


def test_no_two_tests_share_one(kube):
    with namespaces.isolated(kube) as one, namespaces.isolated(kube) as other:
        assert one != other


def test_it_is_gone_afterwards_with_everything_in_it(kube, core):
    with namespaces.isolated(kube) as name:
        core.create_namespaced_config_map(name, {"metadata": {"name": "left"}})

    namespaces.await_gone(kube, name)

    assert not core.list_config_map_for_all_namespaces(field_selector="metadata.name=left").items


def test_it_is_gone_afterwards_when_the_test_fails(kube):
    with pytest.raises(ZeroDivisionError), namespaces.isolated(kube) as name:
        raise ZeroDivisionError

    namespaces.await_gone(kube, name)
