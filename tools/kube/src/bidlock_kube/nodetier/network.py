"""The node network: a bridge on this machine, a cable per node, and routes to pods and services."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bidlock_kube import locking, places, tenancy
from bidlock_kube.components import SERVICE_RANGE
from bidlock_kube.errors import KubeError
from bidlock_kube.locking import Say
from bidlock_kube.nodetier import addresses
from bidlock_kube.nodetier.commands import run as system
from bidlock_kube.runs import Run

WAIT_SECONDS = 600.0
"""How long to wait for another cluster of nodes to end; there can be one at a time."""


@contextmanager
def turn(say: Say) -> Iterator[None]:
    """Let one process at a time look for a free network and take it."""
    with locking.held(places.cache() / "network.lock", waiting_for="starting nodes", say=say):
        yield


def take(run: Run, say: Say) -> None:
    """Make the bridge; it goes with the run, and its routes and cables with it.

    Raises:
        KubeError: another cluster keeps the network, or this machine routes one of its ranges elsewhere.
    """
    _await_free(say)
    _check_ranges()
    run.undo("ip", "link", "delete", addresses.BRIDGE)
    system("ip", "link", "add", addresses.BRIDGE, "type", "bridge")
    system("ip", "link", "set", addresses.BRIDGE, "alias", run.folder, "up")
    system("ip", "address", "add", f"{addresses.HOST}/24", "dev", addresses.BRIDGE)


def connect(number: int, pid: int) -> None:
    """Plug a node in, and route its pods to it."""
    link = addresses.link(number)
    system("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    system("ip", "link", "set", link, "master", addresses.BRIDGE, "up")
    others = [other for other in range(1, addresses.MOST_NODES + 1) if other != number]
    lines = [
        "link set lo up",
        f"address add {addresses.node(number)}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {addresses.HOST}",
        *(f"route add {addresses.pods(other)} via {addresses.node(other)}" for other in others),
    ]
    system("nsenter", "-t", str(pid), "-n", "ip", "-batch", "-", stdin="\n".join(lines))
    system("ip", "route", "replace", addresses.pods(number), "via", addresses.node(number))
    if number == 1:
        system("ip", "route", "replace", SERVICE_RANGE, "via", addresses.node(number))


def disconnect(number: int) -> None:
    """Take away what is left of a node's cable; it goes with the node's namespace, too, a little later."""
    while addresses.link(number) in links():
        with contextlib.suppress(KubeError):
            system("ip", "link", "delete", addresses.link(number))


def links() -> dict[str, str]:
    """This machine's network links and their notes."""
    return {link["ifname"]: link.get("ifalias", "") for link in json.loads(system("ip", "-json", "link", "show"))}


def _await_free(say: Say) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    said = False
    while addresses.BRIDGE in (found := links()):
        tenancy.sweep_unused()
        owner = Path(found[addresses.BRIDGE])
        if not owner.is_absolute() or not owner.exists():  # nobody is left who would undo it
            system("ip", "link", "delete", addresses.BRIDGE)
            continue
        if time.monotonic() > deadline:
            raise KubeError(f"another cluster of nodes is up ({owner}), and there can be one; end its tests, or: make kube-down")
        if not said:
            say(f"another cluster of nodes is up ({owner}); waiting for it to end")
            said = True
        time.sleep(0.5)


def _check_ranges() -> None:
    for route in json.loads(system("ip", "-json", "-4", "route", "show")):
        if route["dst"] != "default" and (taken := _overlaps(route["dst"])):
            raise KubeError(
                f"the test cluster uses {taken}, but this machine has a route to {route['dst']} ({route.get('dev')}); remove it"
            )


def _overlaps(destination: str) -> str | None:
    there = ipaddress.ip_network(destination, strict=False)
    return next((ours for ours in addresses.RANGES if there.overlaps(ipaddress.ip_network(ours))), None)
