"""Several servers at once: replicas under Sentinels, and clusters."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bidlock_redis.testing.binaries import find
from bidlock_redis.testing.servers import START_SECONDS, Server, ServerStartError, free_port, start

SLOTS = 16_384


@dataclass(frozen=True, slots=True)
class Watched:
    """A master, its replicas, and the Sentinels that watch them."""

    master: Server
    replicas: tuple[Server, ...]
    sentinels: tuple[Server, ...]
    service: str = "fleet"

    @property
    def url(self) -> str:
        """For `bidlock.connect`."""
        hosts = ",".join(f"{sentinel.host}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.service}/0"


def start_sentinel(master: Server, *, directory: Path, service: str = "fleet", quorum: int = 1) -> Server:
    """Start a Sentinel that watches `master`; it fails over after two seconds, which no busy machine stands still for."""
    binary = find(master.flavour)
    if binary is None:
        raise ServerStartError(f"there is no {master.flavour} on this machine")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "sentinel.conf"
    configuration.write_text(
        f"sentinel monitor {service} {master.host} {master.port} {quorum}\n"
        f"sentinel down-after-milliseconds {service} 2000\n"
        f"sentinel failover-timeout {service} 5000\n"
    )
    server = Server(master.flavour, binary, directory, free_port(), {"bind": "127.0.0.1"}, (str(configuration), "--sentinel"))
    server.launch()
    return server


@contextmanager
def watched(flavour: str = "valkey-9.1", *, directory: Path, replicas: int = 1) -> Iterator[Watched]:
    """A master with replicas in step, under one Sentinel."""
    at_once = {"repl-diskless-sync-delay": "0"}
    with ExitStack() as stack:
        master = stack.enter_context(start(flavour, directory=directory / "master", config=at_once))
        config = {"replicaof": f"{master.host} {master.port}", **at_once}
        followers = tuple(
            stack.enter_context(start(flavour, directory=directory / f"replica{number}", config=config)) for number in range(replicas)
        )
        for follower in followers:
            until(partial(_in_step, follower), "a replica in step")
        sentinel = stack.enter_context(start_sentinel(master, directory=directory / "sentinel"))
        until(lambda: len(sentinel.command("SENTINEL", "REPLICAS", "fleet")) == replicas, "a Sentinel that knows every replica")
        yield Watched(master, followers, (sentinel,))


@dataclass(frozen=True, slots=True)
class ServerCluster:
    """The masters of a cluster, slots evenly spread."""

    nodes: tuple[Server, ...]

    @property
    def url(self) -> str:
        """For `bidlock.connect`."""
        return "redis+cluster://" + ",".join(f"{node.host}:{node.port}" for node in self.nodes)

    def move(self, slot: int, source: Server, target: Server) -> None:
        """Move an empty slot from one node to another."""
        name = target.command("CLUSTER", "MYID")
        for node in (target, source, *self.nodes):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", name)


@contextmanager
def start_cluster(flavour: str = "valkey-9.1", *, directory: Path, nodes: int = 3) -> Iterator[ServerCluster]:
    """Start a cluster of masters and return when it takes commands."""
    config = {"cluster-enabled": "yes", "cluster-node-timeout": "5000"}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(start(flavour, directory=directory / f"node{number}", port=_cluster_port(), config=config))
            for number in range(nodes)
        ]
        share = SLOTS // nodes + 1
        for number, server in enumerate(servers):
            server.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.command("CLUSTER", "ADDSLOTSRANGE" if flavour != "redis-6.2" else "ADDSLOTS", *_slots(flavour, number * share, share))
            servers[0].command("CLUSTER", "MEET", server.host, server.port)
        for server in servers:
            until(partial(_complete, server, nodes), "a cluster that agrees")
        yield ServerCluster(tuple(servers))


def _cluster_port() -> int:
    """A free port whose bus port, 10,000 above it, is free, too."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as client, socket.socket() as bus:
            try:
                client.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        return port


def _slots(flavour: str, first: int, share: int) -> list[int]:
    last = min(first + share, SLOTS) - 1
    return list(range(first, last + 1)) if flavour == "redis-6.2" else [first, last]


def _complete(server: Server, nodes: int) -> bool:
    said = server.command("CLUSTER", "INFO")
    return "cluster_state:ok" in said and f"cluster_known_nodes:{nodes}\r" in said


def _in_step(replica: Server) -> bool:
    role = replica.command("ROLE")
    return bool(role[0] == "slave" and role[3] == "connected")


def until(reached: Callable[[], bool], what: str) -> None:
    """Ask until it is so.

    Raises:
        ServerStartError: it is not so within 20 seconds.
    """
    deadline = time.monotonic() + START_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise ServerStartError(f"waited in vain for {what}")
        time.sleep(0.02)
