"""Policies for tests of manifests."""

from __future__ import annotations

from typing import Any

import pytest

from bidlock_operator import policies
from bidlock_operator.manifests import acl
from bidlock_operator.manifests.platform import Platform

TEMPLATE = {"spec": {"containers": [{"name": "bidder", "image": "example/bidder:1"}]}}


def make(name: str = "arbitrage", template: Any = TEMPLATE, **spec: Any) -> policies.Policy:
    """A policy from its spec."""
    bidder = {"template": template, **spec.pop("bidder", {})}
    body = {"metadata": {"namespace": "bids", "name": name, "uid": "u-1"}, "spec": {"phase": "DualSupport", "bidder": bidder, **spec}}
    return policies.read(body)


@pytest.fixture(scope="session")
def policy():
    """Make a policy: the name, the bidders' template, sections of the spec."""
    return make


@pytest.fixture(scope="session")
def platform():
    return Platform(operator_namespace="bidlock-system")


@pytest.fixture(scope="session")
def passwords():
    return acl.Passwords(*(word * 4 for word in ("bidder1", "operator1", "probe12")))
