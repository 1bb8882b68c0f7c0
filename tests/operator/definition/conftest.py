"""Policies on a real API server."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes.client import ApiException, CustomObjectsApi

from bidlock_kube import namespaces

PLACE = ("bidlock.io", "v1alpha1")
PLURAL = "bidlockpolicies"
TEMPLATE = {"spec": {"containers": [{"name": "bidder", "image": "example/bidder:1"}]}}

Refusal = str
"""What the API server says; empty when it accepts."""


def merged(base: Any, change: Any) -> Any:
    """JSON merge patch (RFC 7386)."""
    if not isinstance(change, dict):
        return change
    kept = dict(base) if isinstance(base, dict) else {}
    for key, value in change.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merged(kept.get(key), value)
    return kept


@dataclass
class Written:
    """A policy on the server."""

    api: CustomObjectsApi
    namespace: str
    name: str

    def read(self) -> dict[str, Any]:
        return self.api.get_namespaced_custom_object(*PLACE, self.namespace, PLURAL, self.name)

    def change(self, **spec: Any) -> Refusal:
        """Change the spec by a merge patch."""
        return self._patch({"spec": spec})

    def report(self, **status: Any) -> Refusal:
        """Change the status by a merge patch."""
        try:
            self.api.patch_namespaced_custom_object_status(*PLACE, self.namespace, PLURAL, self.name, {"status": status})
        except ApiException as refused:
            return said(refused)
        return ""

    def scale(self, replicas: int) -> Refusal:
        try:
            self.api.patch_namespaced_custom_object_scale(*PLACE, self.namespace, PLURAL, self.name, {"spec": {"replicas": replicas}})
        except ApiException as refused:
            return said(refused)
        return ""

    def drop_status(self) -> Refusal:
        """Replace the status with nothing."""
        body = self.read()
        del body["status"]
        try:
            self.api.replace_namespaced_custom_object_status(*PLACE, self.namespace, PLURAL, self.name, body)
        except ApiException as refused:
            return said(refused)
        return ""

    def _patch(self, body: dict[str, Any]) -> Refusal:
        try:
            self.api.patch_namespaced_custom_object(*PLACE, self.namespace, PLURAL, self.name, body)
        except ApiException as refused:
            return said(refused)
        return ""


def said(refused: ApiException) -> Refusal:
    """The sentence of a refusal; anything but a refusal is a failure of the test."""
    assert refused.status == 422, refused.body
    return str(json.loads(refused.body)["message"])


class Policies:
    """Writes policies into one namespace."""

    def __init__(self, api: CustomObjectsApi, namespace: str) -> None:
        self.api, self.namespace = api, namespace

    def refused(self, spec: dict[str, Any]) -> Refusal:
        """What is said to a new policy; it is written nowhere."""
        try:
            self.api.create_namespaced_custom_object(*PLACE, self.namespace, PLURAL, self._body("dry", spec), dry_run="All")
        except ApiException as refused:
            return said(refused)
        return ""

    def write(self, status: dict[str, Any] | None = None, **spec: Any) -> Written:
        """A new policy."""
        name = f"p{uuid.uuid4().hex[:10]}"
        self.api.create_namespaced_custom_object(*PLACE, self.namespace, PLURAL, self._body(name, spec))
        policy = Written(self.api, self.namespace, name)
        if status is not None:
            assert policy.report(**status) == ""
        return policy

    def _body(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        whole = merged({"phase": "SQLite", "bidder": {"template": copy.deepcopy(TEMPLATE)}}, spec)
        return {"apiVersion": "/".join(PLACE), "kind": "BidLockPolicy", "metadata": {"name": name}, "spec": whole}


@pytest.fixture(scope="module")
def policies(defined) -> Iterator[Policies]:
    with namespaces.isolated(defined) as namespace:
        yield Policies(CustomObjectsApi(defined.client), namespace)
