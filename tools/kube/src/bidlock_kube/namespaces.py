"""A namespace for one test."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client
from kubernetes.client import ApiException

from bidlock_kube.cluster import Cluster
from bidlock_kube.errors import KubeError

READY_SECONDS = 20.0
GONE_SECONDS = 60.0


@contextmanager
def isolated(cluster: Cluster) -> Iterator[str]:
    """A new namespace in which pods can be created; deleted afterwards, and everything in it."""
    core = client.CoreV1Api(cluster.client)
    name = f"test-{uuid.uuid4().hex[:10]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    try:
        _await_account(core, name)
        yield name
    finally:
        core.delete_namespace(name)


def _await_account(core: client.CoreV1Api, name: str) -> None:
    """Pods need the account `default`, which a controller makes."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            core.read_namespaced_service_account("default", name)
        except ApiException as error:
            if error.status != 404 or time.monotonic() > deadline:
                raise KubeError(f"namespace {name} has no service account after {READY_SECONDS:.0f} s: {error.reason}") from error
            time.sleep(0.02)
        else:
            return


def await_gone(cluster: Cluster, name: str) -> None:
    """Return when a deleted namespace is gone.

    Raises:
        KubeError: something in it keeps it, usually a finalizer.
    """
    core = client.CoreV1Api(cluster.client)
    deadline = time.monotonic() + GONE_SECONDS
    while left := core.list_namespace(field_selector=f"metadata.name={name}").items:
        if time.monotonic() > deadline:
            raise KubeError(f"namespace {name} is not gone after {GONE_SECONDS:.0f} s: {_reasons(left[0])}")
        time.sleep(0.05)


def _reasons(namespace: client.V1Namespace) -> str:
    conditions = (namespace.status and namespace.status.conditions) or []
    return "; ".join(str(one.message) for one in conditions if one.status == "True")
