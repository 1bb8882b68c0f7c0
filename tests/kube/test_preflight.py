"""A machine that cannot have nodes says why, and what to do."""

from __future__ import annotations

import ipaddress
import os

import pytest

from bidlock_kube.errors import KubeError
from bidlock_kube.nodetier import addresses, commands, preflight


def test_who_is_not_root_is_told_what_else_there_is(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(KubeError, match="nodes need root; run it with sudo, or set KUBECONFIG and IMAGE_REGISTRY"):
        preflight.check()


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("4.4.0-19041-Microsoft", "nodes need Linux 5.13 or newer, this is 4.4; use a newer machine"),
        ("5.10.0-28-amd64", "nodes need Linux 5.13 or newer, this is 5.10; use a newer machine"),
        ("5.13.0", ""),
        ("6.1.0-18-amd64", ""),
        ("10.0.1", ""),
    ],
)
def test_a_kernel_that_is_too_old_is_told_by_its_number(release, said):
    assert preflight.too_old(release) == said


def test_every_missing_command_is_named_by_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "PATH", str(tmp_path))

    assert {"containerd", "runc", "nftables", "buildah", "iproute2"} <= set(preflight.missing_packages())


def test_ranges_of_the_cluster_do_not_overlap():
    ranges = [ipaddress.ip_network(one) for one in addresses.RANGES]

    assert not [(a, b) for a in ranges for b in ranges if a is not b and a.overlaps(b)]


def test_every_nodes_addresses_lie_in_the_ranges():
    nodes, pods, _ = (ipaddress.ip_network(one) for one in addresses.RANGES)
    numbers = range(1, addresses.MOST_NODES + 1)

    assert all(ipaddress.ip_address(addresses.node(number)) in nodes for number in numbers)
    assert all(ipaddress.ip_network(addresses.pods(number)).subnet_of(pods) for number in numbers)
