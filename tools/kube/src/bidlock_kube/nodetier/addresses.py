"""Who has which address: pure arithmetic.

Node N is 10.210.0.(10+N), its pods are 10.244.N.0/24; this machine reaches services through node 1.
"""

from __future__ import annotations

from bidlock_kube.components import POD_RANGE, SERVICE_RANGE

BRIDGE = "bidlock0"
"""One cluster of nodes at a time: the ranges are routed on this machine, so that tests reach pods and services."""

HOST = "10.210.0.1"
NODE_RANGE = "10.210.0.0/24"
DNS = "10.96.0.10"

MOST_NODES = 4
"""Every node knows the way to the pods of all the others from its start."""

RANGES = (NODE_RANGE, POD_RANGE, SERVICE_RANGE)


def name(number: int) -> str:
    """Name of a node; the first is number 1."""
    return f"node-{number}"


def link(number: int) -> str:
    """The host's end of a node's cable."""
    return f"bidlockv{number}"


def node(number: int) -> str:
    """Address of a node."""
    return f"10.210.0.{10 + number}"


def pods(number: int) -> str:
    """Range of a node's pods."""
    return f"10.244.{number}.0/24"
